# lib.sh - printing figures.  line NAME FIGURE UNIT BOUND NOTE
line()
{
	awk -v n="$1" -v f="$2" -v u="$3" -v b="$4" -v t="${5:-}" 'BEGIN {
		least = sub(/^>/, "", b)
		if (b == "-") v = ""
		else if (least ? f + 0 >= b + 0 : f + 0 <= b + 0) v = "met"
		else v = sprintf("NOT met: %.2f of the bound", f / b)
		if (b != "-") b = (least ? ">= " : "<= ") b
		printf "%-46s %10.3f %-10s %-12s %-28s %s\n", n, f, u, b, v, t
	}'
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# usage CMD...: runs it; prints "CPU ms, max resident KiB, wall ms, status" of
# the command and all that it started.  CPU comes from a cgroup of its own: the
# kernel's per-process times are counted in ticks, too coarse for this.
usage()
{
	python3 - "$@" <<-'P'
	import os, resource, subprocess, sys, time
	v1 = os.path.isdir("/sys/fs/cgroup/cpuacct")
	top = "/sys/fs/cgroup/cpuacct" if v1 else "/sys/fs/cgroup"
	g = "%s/reconcile-usage-%d" % (top, os.getpid())
	os.mkdir(g)
	def used():
	    if v1:
	        return int(open(g + "/cpuacct.usage").read()) / 1e6
	    return int(open(g + "/cpu.stat").read().split()[1]) / 1e3
	def enter():
	    open(g + "/cgroup.procs", "w").write(str(os.getpid()))
	try:
	    t = time.time()
	    p = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=enter)
	    w = (time.time() - t) * 1000
	    u = resource.getrusage(resource.RUSAGE_CHILDREN)
	    if p.returncode:
	        sys.stderr.write(p.stderr.decode(errors="replace"))
	    print("%.1f %d %.1f %d" % (used(), u.ru_maxrss, w, p.returncode))
	finally:
	    for _ in range(50):
	        try:
	            os.rmdir(g)
	            break
	        except OSError:
	            time.sleep(0.02)
	P
}

median() { sort -n | awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'; }

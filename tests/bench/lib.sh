# lib.sh - printing figures.  line NAME FIGURE UNIT BOUND NOTE
line()
{
	awk -v n="$1" -v f="$2" -v u="$3" -v b="$4" -v t="${5:-}" 'BEGIN {
		v = (b == "-") ? "" : (f + 0 <= b + 0 ? "met" : sprintf("NOT met: %.2f of the bound", f / b))
		if (b ~ /^>/) { sub(/^>/, "", b); v = (f + 0 >= b + 0 ? "met" : "NOT met"); b = ">= " b } else if (b != "-") b = "<= " b
		printf "%-46s %10.3f %-10s %-12s %-28s %s\n", n, f, u, b, v, t
	}'
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# usage CMD...: runs it; prints "user+system CPU ms, max resident KiB, wall ms"
# of the command and all that it waited for.
usage()
{
	python3 - "$@" <<-'P'
	import os, resource, subprocess, sys, time
	t = time.time()
	p = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
	w = (time.time() - t) * 1000
	u = resource.getrusage(resource.RUSAGE_CHILDREN)
	if p.returncode:
	    sys.stderr.write(p.stderr.decode(errors="replace"))
	print("%.1f %d %.1f %d" % ((u.ru_utime + u.ru_stime) * 1000, u.ru_maxrss, w, p.returncode))
	P
}

median() { sort -n | awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'; }

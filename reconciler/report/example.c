/*
 * example.c - the examples of `reconcile explain`.  Pure; size-exempt: a table.
 * "-" stands before what is refused, "+" before what is right; "$" before a
 * command.
 */
#include "reconciler/report/example.h"

#include <stddef.h>
#include <string.h>

/* by code; test_rule checks that none is missing */
static const struct {
	const char *code, *text;
} rows[] = {
	{"M001", "$ split -l 5000 all.yaml part- # between documents"},
	{"M002", "$ iconv -f UTF-16 -t UTF-8 web.yaml >web.utf8"},
	{"M003", "- name: \"web\\u202Enimda\"\n+ name: web"},
	{"M004", "- args: [\"a\", \"b\"\n+ args: [\"a\", \"b\"]"},
	{"M005", "- a: {b: {c: {d: ...}}}   # 33 levels"},
	{"M006", "$ csplit web.yaml '/^---/' '{*}'"},
	{"M007", "- data: {blob: \"...\"}   # more than 1 MiB"},
	{"M008", "$ csplit web.yaml '/^---/' '{*}'"},
	{"M009",
	 "- privileged: false\n- privileged: true\n+ privileged: false"},
	{"M010", "- 80: http\n+ \"80\": http"},
	{"M011", "- replicas: !!int \"3\"\n+ replicas: 3"},
	{"M012", "- <<: *common\n+ cpu: 100m\n+ memory: 64Mi"},
	{"M013", "- env: *env   # no &env before it\n+ env: []"},
	{"M014", "- a: &a [x, x]\n- b: &b [*a, *a]   # and so on\n+ b: [x, x, "
		 "x, x]"},
	{"M015", "- %TAG ! tag:example.org,2026:\n+ %YAML 1.2"},
	{"M016", "$ tr '\\r' '\\n' <web.yaml >web.lf"},
	{"M017", "spec: {manifestsPath: manifests/prod}   # in "
		 ".reconcile/policy.yaml"},
	{"M101", "- metadata: {name: web}\n+ apiVersion: apps/v1\n+ kind: "
		 "Deployment\n+ metadata: {name: web}"},
	{"M102", "- kind: Deploymnet\n+ kind: Deployment"},
	{"M103", "- kind: StatefulSet\n+ kind: Deployment"},
	{"M104", "- apiVersion: extensions/v1beta1\n+ apiVersion: apps/v1"},
	{"M105", "- metadata: {name: web}   # in a.yaml and in b.yaml\n+ "
		 "metadata: {name: web-2}"},
	{"M106", "- - one\n- - two\n+ apiVersion: v1\n+ kind: ConfigMap"},
	{"M201", "- imagee: registry.example/web:1\n+ image: "
		 "registry.example/web:1"},
	{"M202", "$ reconcile explain Pod.spec.affinity"},
	{"M203", "- hostPort: 80\n+ kind: Service"},
	{"M204", "- status: {replicas: 3}"},
	{"M205", "- containers: [{name: web}]\n+ containers: [{name: web, "
		 "image: registry.example/web:1}]"},
	{"M206", "- replicas: \"3\"\n+ replicas: 3"},
	{"M207", "- value: yes\n+ value: \"yes\""},
	{"M208", "- imagePullPolicy: Sometimes\n+ imagePullPolicy: "
		 "IfNotPresent"},
	{"M209", "- containerPort: 70000\n+ containerPort: 7000"},
	{"M210", "- name: Web_1\n+ name: web-1"},
	{"M211", "- memory: 128MB\n+ memory: 128Mi"},
	{"M212", "- args:\n-   -\n+ args: []"},
	{"M213", "- {name: v, emptyDir: {}, configMap: {name: c}}\n+ {name: v, "
		 "emptyDir: {}}"},
	{"M214", "- env: [{name: A, value: x}, {name: A, value: y}]\n+ env: "
		 "[{name: A, value: y}]"},
	{"M215", "- replicas: 0x10\n+ replicas: 16"},
	{"M216", "- data: {big: \"...\"}   # more than 1 MiB in all"},
	{"M217", "- data: {word: hello}\n+ stringData: {word: hello}"},
	{"M218", "- seccomp.security.alpha.kubernetes.io/pod: runtime/default\n"
		 "+ seccompProfile: {type: RuntimeDefault}"},
	{"M219", "- argocd.argoproj.io/sync-wave: \"1\""},
	{"M220", "- {restartPolicy: Always}   # in a Job\n+ {restartPolicy: "
		 "Never}"},
	{"M221", "- resources: {limits: {memory: 64m}}\n+ resources: {limits: "
		 "{memory: 64Mi}}"},
	{"M222", "- terminationMessagePolicy: File"},
	{"M301", "- configMapRef: {name: web-conf}\n+ configMapRef: {name: "
		 "web-conf, optional: true}"},
	{"M302",
	 "- configMapKeyRef: {name: web, key: prot}\n+ configMapKeyRef: "
	 "{name: web, key: port}"},
	{"M303",
	 "+ apiVersion: v1\n+ kind: Namespace\n+ metadata: {name: shop}"},
	{"M304", "- port: htpp\n+ port: http"},
	{"M305", "- selector: {matchLabels: {app: web}}\n-   labels: {app: "
		 "wbe}\n+   labels: {app: web}"},
	{"M306", "- selector: {app: wbe}\n+ selector: {app: web}"},
	{"M307", "- selector: {matchLabels: {app: web}}   # of two "
		 "Deployments\n+ selector: {matchLabels: {app: web, track: "
		 "canary}}"},
	{"M308", "- volumeMounts: [{name: dta, mountPath: /data}]\n+ "
		 "volumeMounts: [{name: data, mountPath: /data}]"},
	{"M309", "- roles: [{name: web, people: [alcie@example.org]}]\n+ "
		 "roles: [{name: web, people: [alice@example.org]}]"},
	{"P101", "- hostNetwork: true"},
	{"P102", "- securityContext: {privileged: true}\n+ securityContext: "
		 "{capabilities: {add: [NET_BIND_SERVICE]}}"},
	{"P103", "- capabilities: {add: [SYS_ADMIN]}"},
	{"P104", "- volumes: [{name: v, hostPath: {path: /var}}]\n+ volumes: "
		 "[{name: v, emptyDir: {}}]"},
	{"P105", "- ports: [{containerPort: 80, hostPort: 80}]\n+ ports: "
		 "[{containerPort: 80}]"},
	{"P106",
	 "- httpGet: {host: 10.0.0.1, port: 80}\n+ httpGet: {port: 80}"},
	{"P107", "- container.apparmor.security.beta.kubernetes.io/web: "
		 "unconfined"},
	{"P108", "- seLinuxOptions: {type: spc_t}"},
	{"P109", "- procMount: Unmasked"},
	{"P110", "- seccompProfile: {type: Unconfined}\n+ seccompProfile: "
		 "{type: RuntimeDefault}"},
	{"P111", "- sysctls: [{name: kernel.msgmax, value: \"65536\"}]"},
	{"P112", "- windowsOptions: {hostProcess: true}"},
	{"P121", "- volumes: [{name: v, hostPath: {path: /var}}]\n+ volumes: "
		 "[{name: v, secret: {secretName: s}}]"},
	{"P122", "- allowPrivilegeEscalation: true"},
	{"P123", "- securityContext: {runAsNonRoot: false}\n+ securityContext: "
		 "{runAsNonRoot: true}"},
	{"P124", "- securityContext: {runAsUser: 0}\n+ securityContext: "
		 "{runAsUser: 1000}"},
	{"P125", "- seccompProfile: {type: Unconfined}\n+ seccompProfile: "
		 "{type: RuntimeDefault}"},
	{"P126",
	 "- capabilities: {add: [CHOWN]}\n+ capabilities: {drop: [ALL], "
	 "add: [NET_BIND_SERVICE]}"},
	{"P127", "- procMount: Unmasked"},
	{"P201", "# .reconcile/policy.yaml\nspec:\n  images:\n    "
		 "allowedRegistries: [registry.example]"},
	{"P202", "- image: registry.example/web:1\n+ image: "
		 "registry.example/web:1@sha256:..."},
	{"P203", "# .reconcile/policy.yaml\nspec:\n  secrets: {allowPlain: "
		 "true}"},
	{"P204", "# .reconcile/policy.yaml\nspec:\n  hostPathPrefixes: "
		 "[/srv/data]"},
	{"P205", "- allowPrivilegeEscalation: true"},
	{"P206", "- hostUsers: true"},
	{"P207",
	 "- nodeName: h1\n+ nodeSelector: {kubernetes.io/hostname: h1}"},
	{"P208", "- image: Registry.example/Web\n+ image: "
		 "registry.example/web:1@sha256:..."},
	{"P210", "- pod-security.kubernetes.io/enforce: Baseline\n+ "
		 "pod-security.kubernetes.io/enforce: baseline"},
	{"P211", "- pod-security.kubernetes.io/enforce: privileged"},
	{"R101", "$ reconcile host list   # labels, taints, free room"},
	{"R103", "$ reconcile status\n$ git revert HEAD"},
	{"R104", "$ reconcile logs NAMESPACE/JOB-0"},
	{"R105", "$ reconcile logs NAMESPACE/POD"},
	{"R106", "$ reconcile --dry-run -o json | jq .plan.summary.waves"},
	{"R401", "- image: registry.example/web:1\n+ image: "
		 "registry.example/web:1@sha256:..."},
	{"R402", "$ skopeo inspect --format '{{.Digest}}' docker://IMAGE"},
	{"R403", "$ skopeo inspect --format '{{.Digest}}' docker://IMAGE"},
	{"T101", "$ git fsck --strict COMMIT\n$ git commit --amend -S"},
	{"T102", "$ git cat-file -s COMMIT   # at most 1048576"},
	{"T103", "$ git config --unset i18n.commitEncoding"},
	{"T104", "$ git commit --amend -S --date=now"},
	{"T105", "$ git commit --amend -S --no-edit   # new bytes, if the "
		 "content may run"},
	{"T106", "$ git tag -s v2 COMMIT && git push origin refs/tags/v2"},
	{"T107", "$ git tag -s v2 COMMIT   # not of a tree, a file or a tag"},
	{"T110", "$ git config gpg.format ssh\n$ git config user.signingKey "
		 "~/.ssh/id_ed25519.pub\n$ git commit --amend -S --no-edit"},
	{"T111", "$ git commit --amend -S --no-edit"},
	{"T112", "$ git config gpg.format ssh\n$ git commit --amend -S "
		 "--no-edit"},
	{"T113", "$ git commit --amend -S --no-edit"},
	{"T114", "$ git commit --amend -S --no-edit"},
	{"T115", "- ssh-keygen -Y sign -n file ...\n+ git commit -S"},
	{"T116", "$ git commit --amend -S --no-edit   # uses sha512"},
	{"T117", "$ ssh-keygen -t ed25519"},
	{"T118", "$ git verify-commit COMMIT\n$ git commit --amend -S "
		 "--no-edit"},
	{"T119", "$ ssh-keygen -t ed25519-sk -O verify-required"},
	{"T120", "$ reconcile trust show   # who may sign, with which key"},
	{"T122", "$ reconcile trust show   # what is revoked, and why"},
	{"T123", "$ git commit --amend -S --no-edit --date=now"},
	{"T124", "$ reconcile trust show   # validAfter, validBefore"},
	{"T125", "$ timedatectl\n$ git commit --amend -S --no-edit --date=now"},
	{"T126", "$ git commit --amend -S --no-edit"},
	{"T127",
	 "$ openssl x509 -in cert.pem -noout -ext keyUsage,extendedKeyUsage"},
	{"T128",
	 "- x509:\n    authority: |   # PEM of the authority that issues"},
	{"T129", "- x509:\n    identity: email:alice@example.org   # a SAN of "
		 "the certificate"},
	{"T130", "$ ssh-keygen -s ca -I alice -n alice id_ed25519.pub"},
	{"T131", "- ssh-keygen -h -s ca ...\n+ ssh-keygen -s ca -I alice -n "
		 "alice id_ed25519.pub"},
	{"T132", "$ ssh-keygen -s ca -I alice -n alice id_ed25519.pub"},
	{"T133", "$ ssh-keygen -s ca -I alice -n alice -V +1d id_ed25519.pub"},
	{"T134",
	 "- ssh-keygen -s ca -O force-command=x ...\n+ ssh-keygen -s ca "
	 "-I alice -n alice id_ed25519.pub"},
	{"T135", "$ ssh-keygen -L -f id_ed25519-cert.pub   # Signing CA"},
	{"T136", "$ git commit --amend -S --no-edit"},
	{"T137", "$ git verify-commit -v COMMIT\n$ gpg --export --armor "
		 "FINGERPRINT   # for openpgp.certificate"},
	{"T138", "trust.openpgp = yes   # in reconcile.conf"},
	{"T139", "$ apt-get install sqv"},
	{"T140", "- git reset --hard OLD && git push --force\n+ git revert "
		 "BAD && git push"},
	{"T141", "$ git fetch --unshallow"},
	{"T142", "$ git clone --mirror URL   # no --reference, no --depth"},
	{"T143", "trust.anchor = COMMIT   # in reconcile.conf"},
	{"T144", "$ git fsck --full"},
	{"T147",
	 "$ git merge --no-ff BRANCH   # and nothing beside it in the commit"},
	{"T148", "carriers:\n- name: github\n  accept: [Merge, Squash]"},
	{"T149", "$ git commit --allow-empty -S -m fresh"},
	{"T150", "# .reconcile/policy.yaml\nspec:\n  repository: {id: "
		 "fleet-prod}"},
	{"T151", "# .reconcile/policy.yaml\nspec:\n  repository: {ref: "
		 "refs/heads/main}"},
	{"T152", "$ git add .reconcile/policy.yaml && git commit -S"},
	{"T153", "$ git mv apps/policy.yaml .reconcile/policy.yaml"},
	{"T154", "$ reconcile trust show   # who is in which role\n# a Role "
		 "and RoleBinding with the verb, in a commit before"},
	{"T155", "$ reconcile --dry-run --from BASE --to HEAD   # the manifest "
		 "that cannot be read"},
	{"T156", "spec:\n  authorization: RBAC"},
	{"T157", "subjects:\n- kind: User\n  name: alice@example.org   # as in "
		 "spec.people"},
	{"T158", "rules:\n- apiGroups: [\"\"]\n  resources: [pods/log]\n  "
		 "verbs: [get]"},
	{"T160", "alice@example.org namespaces=\"git\" ssh-ed25519 AAAA..."},
	{"T161", "$ echo '# none' >/etc/reconcile/revoked_keys"},
	{"T162", "SHA256:...   # lost 2026-11-01"},
	{"T163", "- valid-before=\"20270101\"\n+ valid-before=\"20270101Z\""},
	{"T164", "- alice@example.org ssh-ed25519 AAAA...\n+ alice@example.org "
		 "namespaces=\"git\" ssh-ed25519 AAAA..."},
	{"T170", "$ git rm apps/link && cp web.yaml apps/link"},
	{"T171", "$ git mv apps/.GIT apps/git"},
	{"T172", "$ git mv apps/App.yaml apps/app-2.yaml"},
	{"T173", "spec: {manifestsPath: manifests/prod}   # in "
		 ".reconcile/policy.yaml"},
	{"T174", "$ kustomize build overlay >manifests/all.yaml"},
	{"T175", "$ git fsck --strict COMMIT"},
	{"T180", "$ git rev-parse HEAD"},
	{"T181", "trust.anchor = COMMIT   # in reconcile.conf"},
	{"T182", "$ reconcile trust check"},
	{"T183", "$ git mv apps/trust.yaml .reconcile/trust.yaml"},
	{"T184", "- keys: [{ssh: ssh-rsa AAAA... 1024 bits}]\n+ keys: [{ssh: "
		 "ssh-ed25519 AAAA...}]"},
	{"T185", "$ reconcile trust check   # names both"},
	{"T187", "root:\n  roles: [admins]   # two people\n  threshold: 2"},
	{"T188", "spec:\n  version: 8\n  expires: \"2028-01-01T00:00:00Z\"   # "
		 "signed by root"},
	{"T190", "$ reconcile trust approve --base BASE HEAD\n$ git add "
		 ".reconcile/approvals && git commit -S"},
	{"T191", "rules:\n- paths: [\"docs/**\"]\n  roles: [writers]"},
	{"T193", "$ git add .reconcile/trust.yaml && git commit -S"},
	{"T194",
	 "trust.policy = sha256:...   # reconcile trust show prints it"},
	{"T195", "$ reconcile trust approve --base BASE HEAD"},
};

const char *example_of(const char *code)
{
	for (size_t i = 0; code && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].text;
	return NULL;
}

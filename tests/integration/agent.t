#!/bin/sh
# agent.t - one host: from a signed commit to running pods and away again.
. "$(dirname "$0")/agent_lib.sh"

BASELINE_SCOPE='reconcile|rc0|netns'
agent_setup
agent_start

cat >"$TMP/repo/manifests/web.yaml" <<Y
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: $IMAGE
    command: [/bin/httpd, -f, -p, "8080", -h, /www]
    readinessProbe:
      httpGet: {path: /index.html, port: 8080}
Y
put_commit
pod Pod web 0
tell "assign 1 $COMMIT $HOST $POD"
wants web .ready "a signed pod becomes ready"
finish

# git_server.sh - a git server as people run it: nginx and git-http-backend
# (through fcgiwrap) over TLS, on loopback, for the suites and the bench.
# Source lib.sh and attack/trust_lib.sh first; needs root.
#
#   git_authority NAME             $TMP/NAME.pem, .key: a certificate authority
#   git_certificate NAME CA SAN [OPENSSL-X509-OPTION...]
#                                  $TMP/NAME.pem, .key; SAN "" for none
#   git_server_begin               makes $TMP/www, the folder of repositories
#   git_server_add PORT CERTIFICATE [NGINX-LINES [LINES-OF-THE-LOCATION]]
#                                  one more listener; git_ports N: N free ports
#   git_server_start               https://127.0.0.1:PORT/..., localhost too
# Each request is one line of $TMP/access.log:
#   port CONNECTION nth-of-it METHOD URI STATUS git-protocol- TLS-session(r:
#   resumed) user-

git_authority()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$TMP/$1.key" -out "$TMP/$1.pem" -days 30 \
		-subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}

git_certificate()
{
	_name=$1 _ca=$2 _san=$3
	shift 3
	printf 'basicConstraints=CA:FALSE\n%s\n' \
		"${_san:+subjectAltName=$_san}" >"$TMP/$_name.ext"
	[ "$#" -gt 0 ] || set -- -days 30
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$TMP/$_name.key" -out "$TMP/$_name.csr" \
		-subj "/CN=localhost" 2>/dev/null &&
		openssl x509 -req -in "$TMP/$_name.csr" -CA "$TMP/$_ca.pem" \
			-CAkey "$TMP/$_ca.key" -CAcreateserial \
			-extfile "$TMP/$_name.ext" -out "$TMP/$_name.pem" \
			"$@" 2>/dev/null
}

# server_key NAME: the pin of a certificate's key.
server_key()
{
	printf 'sha256//'
	openssl x509 -in "$TMP/$1.pem" -noout -pubkey |
		openssl pkey -pubin -outform der |
		openssl dgst -sha256 -binary | base64
}

git_ports()
{
	python3 - "$1" <<-'P'
	import socket, sys
	held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
	print(*(s.getsockname()[1] for s in held))
	P
}

# git_publish WORKTREE NAME: a bare clone as $TMP/www/NAME; git_update WORKTREE
# NAME brings what is new there.
git_publish()
{
	git clone -q --bare "$1" "$TMP/www/$2"
}

git_update()
{
	git -C "$1" push -q "$TMP/www/$2" main
}

git_server_begin()
{
	_backend=$(git --exec-path)/git-http-backend
	need_root
	need_program nginx fcgiwrap openssl python3 "$_backend"
	mkdir -p "$TMP/www" "$TMP/nginx"
	GIT_SERVERS=
	cat >"$TMP/nginx.conf" <<-EOF
	daemon off;
	master_process off;
	user root;
	pid $TMP/nginx.pid;
	error_log $TMP/nginx.log warn;
	events { worker_connections 128; }
	http {
	log_format plain '\$server_port \$connection \$connection_requests '
		'\$request_method \$request_uri \$status '
		'\${http_git_protocol}- \${ssl_session_reused} \${remote_user}-';
	ssl_session_cache shared:git:1m;
	access_log $TMP/access.log plain;
	client_body_temp_path $TMP/nginx/body;
	proxy_temp_path $TMP/nginx/proxy;
	fastcgi_temp_path $TMP/nginx/fastcgi;
	uwsgi_temp_path $TMP/nginx/uwsgi;
	scgi_temp_path $TMP/nginx/scgi;
	keepalive_timeout 75;
	EOF
}

git_server_add()
{
	cat >>"$TMP/nginx.conf" <<-EOF
	server {
		listen 127.0.0.1:$1 ssl;
		ssl_certificate $TMP/$2.pem;
		ssl_certificate_key $TMP/$2.key;
		${3:-ssl_protocols TLSv1.2 TLSv1.3;}
		location / {
			fastcgi_pass unix:$TMP/fcgi.sock;
			fastcgi_param SCRIPT_FILENAME $_backend;
			fastcgi_param GIT_PROJECT_ROOT $TMP/www;
			fastcgi_param GIT_HTTP_EXPORT_ALL 1;
			fastcgi_param PATH_INFO \$uri;
			fastcgi_param QUERY_STRING \$query_string;
			fastcgi_param REQUEST_METHOD \$request_method;
			fastcgi_param CONTENT_TYPE \$content_type;
			fastcgi_param CONTENT_LENGTH \$content_length;
			fastcgi_param REMOTE_USER \$remote_user;
			fastcgi_param REMOTE_ADDR \$remote_addr;
			fastcgi_buffering off;
			${4:-}
		}
	}
	EOF
	GIT_SERVERS="$GIT_SERVERS $1"
}

git_server_stop()
{
	[ -z "${NGINX_PID:-}" ] || kill "$NGINX_PID"
	[ -z "${FCGI_PID:-}" ] || kill "$FCGI_PID"
}

git_listening()
{
	for _p in $GIT_SERVERS; do
		(: <>"/dev/tcp/127.0.0.1/$_p") 2>/dev/null || return 1
	done
	[ -S "$TMP/fcgi.sock" ]
}

git_server_start()
{
	echo '}' >>"$TMP/nginx.conf"
	at_exit git_server_stop
	env -i PATH="$PATH" GIT_CONFIG_NOSYSTEM=1 HOME="$TMP" \
		fcgiwrap -s "unix:$TMP/fcgi.sock" >/dev/null 2>&1 &
	FCGI_PID=$!
	nginx -p "$TMP" -c "$TMP/nginx.conf" 2>"$TMP/nginx.err" &
	NGINX_PID=$!
	wait_for 10 git_listening ||
		skip_all "nginx does not start: $(cat "$TMP/nginx.err")"
}

# One running appliance of the demo and the benchmark: its configuration, its two processes, its BPF file system.
#
# Everything of a run lies in one directory: config.yaml, policy.yaml, logs, process ids, state/, run/, bpffs/.
# Source it after topology.sh.

# nw_appliance_configure DIRECTORY two-arm|one-arm [KEY: VALUE]…: writes config.yaml, with these keys of its section
# dataplane; the policy is policy.yaml beside it.
nw_appliance_configure() {
	local directory=$1 form=$2 ports
	shift 2
	case $form in
	two-arm) ports='[{interface: inside, side: inside}, {interface: outside, side: outside}]' ;;
	one-arm) ports='[{interface: data, side: both}]' ;;
	*) return 2 ;;
	esac
	mkdir -p "$directory/state" "$directory/run"
	cat >"$directory/config.yaml" <<-YAML
		version: 1
		policy:
		  file: $directory/policy.yaml
		  internal_cidr: 10.0.0.0/24
		dataplane:
		  ports: $ports
		  snat: auto
		  host_services: [{proto: icmp}]
		$(printf '  %s\n' "$@")
		metrics:
		  bind: 127.0.0.1:8080
		paths:
		  state: $directory/state
		  run: $directory/run
		  bpffs: $directory/bpffs/neuwerk
	YAML
}

# nw_appliance_start DIRECTORY NAMESPACE BINARIES: returns when the appliance is ready; 1 and its log when it is not.
nw_appliance_start() {
	local directory=$1 namespace=$2 binaries=$3 tenth
	nw_bpffs_up "$directory/bpffs"
	nw_in "$namespace" "$binaries/neuwerkd" --config "$directory/config.yaml" >>"$directory/neuwerkd.log" 2>&1 &
	echo $! >"$directory/neuwerkd.pid"
	for tenth in {1..300}; do
		if [ "$(nw_ready "$namespace")" = 200 ]; then
			return 0
		fi
		kill -0 "$(<"$directory/neuwerkd.pid")" 2>/dev/null || break
		sleep 0.1
	done
	echo "the appliance in $namespace did not become ready; its log ends:" >&2
	tail -n 20 "$directory/neuwerkd.log" >&2
	return 1
}

# The HTTP status of /ready, 000 while nobody listens.
nw_ready() {
	nw_in "$1" curl -s -o /dev/null -w '%{http_code}' --max-time 2 http://127.0.0.1:8080/ready || true
}

# nw_appliance_stop DIRECTORY NAMESPACE: ends both processes and drops every pin; harmless when there is none.
nw_appliance_stop() {
	nw_end_processes "$2"
	nw_bpffs_down "$1/bpffs"
}

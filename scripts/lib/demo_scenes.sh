# The scenes of scripts/demo: each says what it does, runs real tools, and checks what it promised.

demo_directory=/run/neuwerk-demo
demo_passed=0
demo_failed=0

say() { printf '\n%s\n' "$*"; }

# show COMMAND…: prints the command as a person would type it on that host, then its output, both indented.
show() {
	case $1 in
	client) printf '    client$ %s\n' "${*:2}" ;;
	*) printf '    appliance$ %s\n' "$*" ;;
	esac
	"$@" 2>&1 | sed 's/^/      /' || true
}

# expect WHAT COMMAND…: counts whether the promise held.
expect() {
	local what=$1
	shift
	if "$@"; then
		printf '  ok      %s\n' "$what"
		demo_passed=$((demo_passed + 1))
	else
		printf '  WRONG   %s\n' "$what"
		demo_failed=$((demo_failed + 1))
	fi
}

fails() { ! "$@"; }
answers_ping() { client ping -q -c 1 -W 1 "$1" >/dev/null; }
answers_http() { client curl -s -o /dev/null --max-time 1 "$1"; }
client() { nw_in nw-demo-client "$@"; }
internet() { nw_in nw-demo-internet "$@"; }
neuwerkctl() { "$demo_binaries/neuwerkctl" --socket "$demo_directory/run/neuwerkd.sock" "$@"; }

demo_clean() {
	nw_appliance_stop "$demo_directory" nw-demo-appliance
	nw_topology_down nw-demo
	rm -rf "$demo_directory"
}

# demo_policy [deny]: what the clients may do; with deny, no speed test.
demo_policy() {
	cat <<-YAML
		default_policy: deny
		source_groups:
		  - id: clients
		    mode: enforce
		    sources: {cidrs: [10.0.0.0/24]}
		    default_action: deny
		    rules:
		      - {id: web, action: allow, match: {dst_cidrs: [198.51.100.0/24], proto: tcp, dst_ports: [80]}}
		      - {id: speed-test, action: ${1:-allow}, match: {proto: tcp, dst_ports: [5201, 5202]}}
		      - {id: ping, action: allow, match: {dst_ips: [198.51.100.10], proto: icmp, icmp_types: [8], icmp_codes: [0]}}
		      - {id: old-service, mode: audit, action: deny, match: {proto: tcp, dst_ports: [8000]}}
	YAML
}

# demo_hosts FORM BINARIES
demo_hosts() {
	demo_binaries=$2
	say "1. Three hosts: a client, the internet, and between them the appliance ($1)."
	nw_topology_up nw-demo "$1"
	mkdir -p "$demo_directory/web"
	echo "Hello from the internet." >"$demo_directory/web/index.html"
	local port
	for port in 80 8000; do
		internet python3 -u -m http.server --directory "$demo_directory/web" $port >>"$demo_directory/web.log" 2>&1 &
	done
	for port in 5201 5202; do
		internet iperf3 --server --port $port >/dev/null 2>&1 &
	done
	demo_policy >"$demo_directory/policy.yaml"
	nw_appliance_configure "$demo_directory" "$1" 'flow_lines: 4096' # few, so that a dump is short
	nw_appliance_start "$demo_directory" nw-demo-appliance "$demo_binaries"
	echo "   Its policy:"
	sed 's/^/      /' "$demo_directory/policy.yaml"
	show neuwerkctl status
	expect "the appliance is ready" test "$(nw_ready nw-demo-appliance)" = 200
}

demo_allowed() {
	say "2. Allowed: the client fetches a page from 198.51.100.10. The web server's log names who asked: the" \
		"appliance's address $nw_outside_address, not the client's $nw_client_address (NAT)."
	show client curl -s --max-time 3 http://$nw_far_address/
	printf '    the web server saw: %s\n' "$(grep 'GET / ' "$demo_directory/web.log" | tail -n 1)"
	expect "the page arrived" test "$(client curl -s --max-time 3 http://$nw_far_address/)" = "Hello from the internet."
	expect "the server saw the appliance's address" grep -q "^$nw_outside_address .*GET / " "$demo_directory/web.log"
	expect "and never the client's own" fails grep -q "^$nw_client_address " "$demo_directory/web.log"
}

demo_denied() {
	say "3. Denied: the same page from $nw_server_address, to which no rule leads. XDP drops the first packet in the" \
		"driver; nothing answers."
	show client curl -sS --max-time 1 http://$nw_server_address/
	expect "no answer came" fails answers_http http://$nw_server_address/
	show neuwerkctl explain --from $nw_client_address --to $nw_server_address --proto tcp --dport 80
	show neuwerkctl explain --from $nw_client_address --to $nw_far_address --proto tcp --dport 80
}

demo_ping() {
	say "4. Ping: allowed to 198.51.100.10, denied to $nw_server_address."
	show client ping -c 2 -i 0.2 -W 1 $nw_far_address
	show client ping -c 1 -W 1 $nw_server_address
	expect "one of them answers" answers_ping $nw_far_address
	expect "the other does not" fails answers_ping $nw_server_address
}

demo_audit() {
	say "5. Audit mode: rule old-service would deny port 8000, but only watches. The page arrives, and a finding is" \
		"reported."
	neuwerkctl events >"$demo_directory/findings" 2>&1 &
	local watcher=$! page tenth
	sleep 0.5 # until it listens
	page=$(client curl -s --max-time 3 http://$nw_far_address:8000/)
	for tenth in {1..20}; do
		! grep -q old-service "$demo_directory/findings" || break
		sleep 0.1
	done
	kill $watcher 2>/dev/null || true
	grep old-service "$demo_directory/findings" | sed 's/^/      /' || true
	expect "the page arrived all the same" test "$page" = "Hello from the internet."
	expect "the finding names the rule" grep -q old-service "$demo_directory/findings"
}

# demo_count STAGE VERDICT: packets so far.
demo_count() {
	neuwerkctl -o json counters |
		jq -r --arg stage "$1" --arg verdict "$2" \
			'[.. | objects | select(.stage? == $stage and .verdict? == $verdict) | .packets | tonumber] | add // 0'
}

demo_speed() {
	say "6. Speed: iperf3 through NAT. Only a connection's first packet visits the poller; XDP forwards the rest."
	local xdp_before poller_before xdp poller
	xdp_before=$(demo_count xdp forwarded_in_xdp)
	poller_before=$(demo_count poller forwarded_by_poller)
	show client iperf3 --client $nw_far_address --time 3 --interval 0 --format m
	xdp=$(($(demo_count xdp forwarded_in_xdp) - xdp_before))
	poller=$(($(demo_count poller forwarded_by_poller) - poller_before))
	printf '    packets forwarded by XDP: %d, by the poller: %d\n' $xdp $poller
	expect "XDP forwarded all but the first packets" test $xdp -gt 1000 -a $poller -le 4
}

demo_look_inside() {
	say "7. Looking inside: flows, counters, and the same pinned maps with bpftool."
	show neuwerkctl flow list
	show neuwerkctl counters
	local pins=$demo_directory/bpffs/neuwerk
	show ls "$pins"
	show bpftool map dump pinned "$pins/policy_active"
	printf '    appliance$ bpftool -j map dump pinned %s/flow_table | jq …\n' "$pins"
	bpftool -j map dump pinned "$pins/flow_table" |
		jq -c '[.[].formatted | select(.value.sequence > 0)][:2][] | {line: .key} +
			(.value | {sequence, protocol, kind, seen, judged_generation, next_hop, traffic})' |
		sed 's/^/      /' || true
	expect "bpftool reads the generation that is in force" \
		test "$(bpftool -j map dump pinned "$pins/policy_active" | jq '.[0].formatted.value.generation')" = 1
}

demo_live_change() {
	say "8. A live policy change: while data flows, rule speed-test becomes a deny. The flow stops with its next packet."
	local transfer last
	client timeout 5 iperf3 --client $nw_far_address --port 5202 --bitrate 50M --time 10 --interval 0.5 --forceflush \
		--format m >"$demo_directory/transfer" 2>&1 &
	transfer=$!
	sleep 1.7
	demo_policy deny >"$demo_directory/stricter.yaml"
	show neuwerkctl policy apply "$demo_directory/stricter.yaml"
	wait $transfer || true # timeout ends it: it cannot even say goodbye
	grep 'sec ' "$demo_directory/transfer" | sed 's/^/      /' || true
	last=$(grep ' 4.[05]0-' "$demo_directory/transfer" | tail -n 1)
	expect "data was flowing" test "$(grep -c ' [1-9][0-9.]* Mbits/sec' "$demo_directory/transfer")" -ge 2
	expect "it stopped" grep -q ' 0.00 Mbits/sec' <<<"$last"
	show neuwerkctl policy apply "$demo_directory/policy.yaml"
	expect "with the old policy back, data flows again" \
		client timeout 5 iperf3 --client $nw_far_address --bytes 1M --logfile /dev/null
}

# demo_summary SECONDS
demo_summary() {
	say "$demo_passed promises kept, $demo_failed broken, in $1 s. Everything is removed again."
	[ "$demo_failed" -eq 0 ]
}

# demo_simulation BINARIES: the scenario without privileges; nothing of it touches a packet of this machine.
demo_simulation() {
	say "SIMULATION: the same corridor, compiled for user space, walks the scenario packet by packet."
	"$1/neuwerk-sim" tests/packets/transcripts/demo.txt
}

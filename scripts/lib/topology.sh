# Three hosts in network namespaces for the demo, the live tests and the benchmark; source it, needs root.
#
#   two-arm   client eth0 ── inside [appliance] outside ── eth0 internet
#   one-arm   client eth0 ── client ┐
#                     appliance data ┴─ [switch: one bridge] ── internet ── eth0 internet
#
# Addresses are the same in both forms: client 10.0.0.2/24 behind 10.0.0.1, appliance 203.0.113.1/24 outside,
# server 203.0.113.10/24 which also answers as 198.51.100.10. Namespaces are called <prefix>-client,
# <prefix>-appliance, <prefix>-internet and, one-arm, <prefix>-switch; a prefix starts with nw-.

nw_client_address=10.0.0.2
nw_inside_address=10.0.0.1
nw_outside_address=203.0.113.1
nw_server_address=203.0.113.10
nw_far_address=198.51.100.10
nw_client_mac=02:00:00:00:01:02
nw_inside_mac=02:00:00:00:01:01
nw_outside_mac=02:00:00:00:02:01
nw_server_mac=02:00:00:00:02:10

# nw_in NAMESPACE COMMAND…: runs a command there. Not `ip netns exec`: that remounts /sys and hides the bpffs.
nw_in() {
	local namespace=$1
	shift
	nsenter --net="/run/netns/$namespace" "$@"
}

nw_namespace() {
	ip netns add "$1"
	ip -n "$1" link set lo up
	# Quiet: no IPv6 autoconfiguration traffic in counters that tests compare.
	nw_in "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
}

# nw_cable NAMESPACE INTERFACE MAC NAMESPACE INTERFACE MAC: a veth pair, up at both ends. `-`: any MAC.
nw_cable() {
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	local end
	for end in "$1 $2 $3" "$4 $5 $6"; do
		# shellcheck disable=SC2086
		set -- $end
		[ "$3" = - ] || ip -n "$1" link set "$2" address "$3"
		# A checksum left for the hardware to fill does not survive an XDP redirect, and a VLAN tag taken off by
		# the hardware never reaches XDP.
		# A VLAN tag that a sender leaves to the hardware crosses a veth beside the packet, unseen by XDP.
		nw_in "$1" ethtool -K "$2" tx off rxvlan off txvlan off >/dev/null
		ip -n "$1" link set "$2" up
	done
}

# A redirect into a veth arrives only if its peer polls (NAPI), which GRO switches on; setting it while the link
# was down does not count. Call it again after a program was detached.
nw_enable_redirect() {
	local end
	for end in "$@"; do
		nw_in "${end%:*}" ethtool -K "${end#*:}" gro off >/dev/null
		nw_in "${end%:*}" ethtool -K "${end#*:}" gro on >/dev/null
	done
}

# XDP_TX out of a veth wakes its peer only if that has an XDP program too (veth_xdp_flush of Linux 6.18; a redirect
# wakes it in any case). This one passes everything.
nw_enable_transmit() {
	# A BPF file system of its own: `ip link set … obj` uses the first that is mounted, whoever's it is.
	local folder
	folder=$(mktemp -d)
	mount -t bpf bpf "$folder"
	clang-16 -target bpf -O2 -x c -c -o "$folder.o" - <<-C
		__attribute__((section("xdp"))) int pass(void *context) { return 2; /* XDP_PASS */ }
	C
	bpftool prog load "$folder.o" "$folder/pass" type xdp
	nw_in "${1%:*}" bpftool net attach xdpdrv pinned "$folder/pass" dev "${1#*:}"
	umount "$folder"
	rm -r "$folder" "$folder.o"
}

nw_hosts_addresses() {
	local prefix=$1
	ip -n "$prefix-client" address add $nw_client_address/24 dev eth0
	ip -n "$prefix-client" route add default via $nw_inside_address
	ip -n "$prefix-internet" address add $nw_server_address/24 dev eth0
	ip -n "$prefix-internet" address add $nw_far_address/32 dev lo
	# Only for `snat: none`: a real internet has no route to the inside.
	ip -n "$prefix-internet" route add 10.0.0.0/24 via $nw_outside_address
}

# nw_topology_up PREFIX two-arm|one-arm
nw_topology_up() {
	local prefix=$1 form=$2 host
	nw_topology_down "$prefix"
	for host in client appliance internet; do
		nw_namespace "$prefix-$host"
	done
	# Forwarding stays off: without the program nothing crosses the appliance untranslated.
	nw_in "$prefix-appliance" sysctl -qw net.ipv4.ip_forward=0
	case $form in
	two-arm)
		nw_cable "$prefix-client" eth0 $nw_client_mac "$prefix-appliance" inside $nw_inside_mac
		nw_cable "$prefix-appliance" outside $nw_outside_mac "$prefix-internet" eth0 $nw_server_mac
		ip -n "$prefix-appliance" address add $nw_inside_address/24 dev inside
		ip -n "$prefix-appliance" address add $nw_outside_address/24 dev outside
		ip -n "$prefix-appliance" route add default via $nw_server_address
		nw_enable_redirect "$prefix-client:eth0" "$prefix-internet:eth0" \
			"$prefix-appliance:inside" "$prefix-appliance:outside"
		;;
	one-arm)
		nw_namespace "$prefix-switch"
		ip -n "$prefix-switch" link add bridge type bridge
		ip -n "$prefix-switch" link set bridge up
		nw_cable "$prefix-client" eth0 $nw_client_mac "$prefix-switch" client -
		nw_cable "$prefix-appliance" data $nw_inside_mac "$prefix-switch" appliance -
		nw_cable "$prefix-internet" eth0 $nw_server_mac "$prefix-switch" internet -
		for host in client appliance internet; do
			ip -n "$prefix-switch" link set $host master bridge
		done
		ip -n "$prefix-appliance" address add $nw_outside_address/24 dev data
		ip -n "$prefix-appliance" address add $nw_inside_address/24 dev data
		ip -n "$prefix-appliance" route add default via $nw_server_address
		nw_enable_redirect "$prefix-client:eth0" "$prefix-internet:eth0" "$prefix-appliance:data" \
			"$prefix-switch:client" "$prefix-switch:appliance" "$prefix-switch:internet"
		nw_enable_transmit "$prefix-switch:appliance"
		;;
	*)
		echo "nw_topology_up: $form is neither two-arm nor one-arm" >&2
		return 2
		;;
	esac
	nw_hosts_addresses "$prefix"
}

# Ends every process that lives in a namespace, by its id: TERM, five seconds later KILL.
nw_end_processes() {
	local tenth pids
	for tenth in {1..50}; do
		pids=$(ip netns pids "$1" 2>/dev/null) || return 0
		[ -n "$pids" ] || return 0
		# shellcheck disable=SC2086
		[ "$tenth" -gt 1 ] || kill -TERM $pids 2>/dev/null || true
		sleep 0.1
	done
	# shellcheck disable=SC2086
	kill -KILL $pids 2>/dev/null || true
}

# Also after a run that was killed: what still runs in the namespaces ends, and their veth pairs go with them.
nw_topology_down() {
	local host
	for host in client appliance internet switch; do
		[ -e "/run/netns/$1-$host" ] || continue
		nw_end_processes "$1-$host"
		ip netns delete "$1-$host" 2>/dev/null || true
	done
}

# nw_bpffs_up DIRECTORY: a BPF file system of one run's own, so that runs never meet each other's pins.
nw_bpffs_up() {
	mkdir -p "$1"
	mountpoint -q "$1" || mount -t bpf bpf "$1"
}

# nw_bpffs_down DIRECTORY: unmounting drops every pin in it, and with the last pin the program detaches.
nw_bpffs_down() {
	while mountpoint -q "$1"; do
		umount "$1" || umount -l "$1"
	done
	rmdir "$1" 2>/dev/null || true
}

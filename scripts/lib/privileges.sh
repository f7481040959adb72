# Which privileges this process lacks for network namespaces and BPF; source it.

# Capability numbers of linux/capability.h, with what they are needed for.
nw_privileges=(
	"12 CAP_NET_ADMIN to create interfaces and attach the XDP program"
	"13 CAP_NET_RAW to open AF_XDP sockets and to ping"
	"21 CAP_SYS_ADMIN to create namespaces, mount a BPF file system and let libxdp look up the program"
	"39 CAP_BPF to load BPF programs and create maps"
)

# Prints one line for each missing privilege, then for each thing that the kernel refuses all the same.
# Prints nothing where the appliance can run. Leaves nothing behind.
nw_missing_privileges() {
	local effective line folder
	effective=$((16#$(awk '/^CapEff/ { print $2 }' /proc/self/status)))
	local missing=0
	for line in "${nw_privileges[@]}"; do
		if (((effective >> ${line%% *} & 1) == 0)); then
			echo "${line#* }"
			missing=1
		fi
	done
	[ $missing -eq 0 ] || return 0
	if ! ip netns add nw-demo-probe 2>/dev/null; then
		echo "network namespaces: the kernel or a seccomp filter refuses them"
	else
		ip netns delete nw-demo-probe
	fi
	folder=$(mktemp -d)
	if ! mount -t bpf bpf "$folder" 2>/dev/null; then
		echo "a BPF file system: mount refuses it"
	else
		bpftool map create "$folder/probe" type array key 4 value 4 entries 1 name nw_probe 2>/dev/null ||
			echo "BPF maps: the bpf system call is refused"
		umount "$folder"
	fi
	rmdir "$folder"
}

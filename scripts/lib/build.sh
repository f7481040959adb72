# Configures and builds a preset with a progress line; source it in the root of the checkout.

# nw_build PRESET [TARGET…]: one changing line on a terminal, milestones otherwise; the log on failure.
nw_build() {
	local preset=$1 log
	shift
	mkdir -p build
	log=build/$preset.log
	echo "build: preset $preset: configuring"
	if ! cmake --preset "$preset" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		return 1
	fi
	local shown='\n'
	[ -t 1 ] && shown='\r\033[K'
	# Ninja's status starts each line: [done/total]. Without a terminal only every tenth part is worth a line.
	if ! NINJA_STATUS='[%f/%t] ' nice ninja -C "build/$preset" "$@" 2>&1 | tee -a "$log" |
		awk -v shown="$shown" -v preset="$preset" '
			/^\[[0-9]+\/[0-9]+\]/ {
				split(substr($1, 2), n, /[\/\]]/)
				tenth = int(10 * n[1] / n[2])
				if (shown != "\n" || tenth != last)
					printf "%sbuild: preset %s: %d of %d steps%s", (shown == "\n" ? "" : shown), preset, n[1], n[2], (shown == "\n" ? "\n" : "")
				last = tenth
				fflush()
			}
			END { if (shown != "\n") print "" }'; then
		grep -v '^\[' "$log" | tail -n 40 >&2
		return 1
	fi
}

# Configures and builds a preset with a progress line; source it in the root of the checkout.

# Reads ninja's lines: one changing line on a terminal, else a line for each tenth of the steps.
nw_build_progress() {
	local preset=$1 line tenth last=-1
	while IFS= read -r line; do
		[[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
		tenth=$((10 * BASH_REMATCH[1] / BASH_REMATCH[2]))
		if [ -t 1 ]; then
			printf '\r\033[Kbuild: preset %s: %d of %d' "$preset" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
		elif [ $tenth -ne $last ]; then
			printf 'build: preset %s: %d of %d\n' "$preset" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
		fi
		last=$tenth
	done
	[ ! -t 1 ] || echo
}

# nw_build PRESET [TARGET…]: one at a time per preset, because two ninjas in one folder spoil each other. The log is
# build/PRESET.log; its end is shown on failure.
nw_build() {
	local preset=$1 log
	shift
	mkdir -p build
	log=build/$preset.log
	local lock
	exec {lock}>"build/$preset.lock"
	flock "$lock"
	echo "build: preset $preset: configuring"
	if ! cmake --preset "$preset" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		exec {lock}>&-
		return 1
	fi
	local fine=0
	if ! (
		set -o pipefail
		NINJA_STATUS='[%f/%t] ' nice ninja -C "build/$preset" "$@" 2>&1 | tee -a "$log" | nw_build_progress "$preset"
	); then
		grep -v '^\[' "$log" | tail -n 40 >&2
		fine=1
	fi
	exec {lock}>&-
	return $fine
}

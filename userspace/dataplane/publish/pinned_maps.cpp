// The shared maps over libbpf: create or reuse, pin, and map into memory.
#include "dataplane/publish/pinned_maps.h"

#include "base/fd.h"
#include "dataplane/publish/bpf_error.h"

#include "neuwerk.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace neuwerk::dataplane {

namespace {

using Object = std::unique_ptr<neuwerk_bpf, void (*)(neuwerk_bpf *)>;

struct Wanted {
	Map *map;
	bpf_map *definition;   // of the object file: type, key and value, with their BTF
	std::uint32_t entries; // 0: as defined
};

Result<> make_directory(const std::string &directory)
{
	std::error_code code;
	std::filesystem::create_directories(directory, code);
	if (code)
		return fail(bpf_error_kind(code.value()), "cannot create " + directory + ": " +
								  code.message() +
								  ": is a bpf file system mounted above it?");
	return {};
}

// A row per CPU, and the poller's.
std::uint32_t denial_set_count()
{
	return (static_cast<std::uint32_t>(libbpf_num_possible_cpus()) + 1) * NW_DENIAL_SETS;
}

// A devmap's flags gain BPF_F_RDONLY_PROG in the kernel, so flags are not compared.
Result<> check_shape(int fd, const bpf_map *definition, const std::string &path)
{
	bpf_map_info info{};
	__u32 bytes = sizeof(info);
	if (bpf_obj_get_info_by_fd(fd, &info, &bytes) != 0)
		return fail(ErrorKind::internal, "cannot inspect " + path + ": " + bpf_error(errno));
	if (info.type == bpf_map__type(definition) && info.key_size == bpf_map__key_size(definition) &&
	    info.value_size == bpf_map__value_size(definition) &&
	    info.max_entries == bpf_map__max_entries(definition))
		return {};
	return fail(ErrorKind::conflict, path + " is pinned with " + std::to_string(info.max_entries) +
						 " entries of " + std::to_string(info.value_size) +
						 " bytes, wanted " +
						 std::to_string(bpf_map__max_entries(definition)) + " of " +
						 std::to_string(bpf_map__value_size(definition)) +
						 ": the configuration has other sizes, or it is another "
						 "version's; `neuwerkd uninstall` drops it");
}

// Whether the map is pinned already; the definition then stands for the pinned map.
Result<bool> reuse_pinned(const std::string &directory, bpf_map *definition)
{
	const std::string path = directory + "/" + bpf_map__name(definition);
	const Fd fd(bpf_obj_get(path.c_str()));
	if (!fd) {
		if (errno != ENOENT)
			return fail(bpf_error_kind(errno), "cannot open " + path + ": " + bpf_error(errno));
		return false;
	}
	if (auto sound = check_shape(fd.get(), definition, path); !sound)
		return tl::unexpected(sound.error());
	if (bpf_map__reuse_fd(definition, fd.get()) != 0)
		return fail(ErrorKind::internal, "cannot reuse " + path + ": " + bpf_error(errno));
	return true;
}

Result<Map> take_map(bpf_map *definition)
{
	Fd fd(dup(bpf_map__fd(definition)));
	if (!(bpf_map__map_flags(definition) & BPF_F_MMAPABLE))
		return Map(fd.release(), nullptr, 0);
	const std::size_t page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
	const std::size_t element_bytes = (bpf_map__value_size(definition) + 7u) & ~std::size_t{7};
	const std::size_t bytes =
		(element_bytes * bpf_map__max_entries(definition) + page_bytes - 1) & ~(page_bytes - 1);
	void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
	if (memory == MAP_FAILED)
		return fail(ErrorKind::resource_exhausted, std::string("cannot map ") +
								   bpf_map__name(definition) +
								   " into memory: " + bpf_error(errno));
	return Map(fd.release(), memory, bytes);
}

} // namespace

Map::Map(int fd, void *memory, std::size_t memory_bytes)
    : fd_(fd), memory_(memory), memory_bytes_(memory_bytes)
{
}

Map::Map(Map &&other) noexcept
    : fd_(std::exchange(other.fd_, -1)), memory_(std::exchange(other.memory_, nullptr)),
      memory_bytes_(std::exchange(other.memory_bytes_, 0))
{
}

Map &Map::operator=(Map &&other) noexcept
{
	std::swap(fd_, other.fd_);
	std::swap(memory_, other.memory_);
	std::swap(memory_bytes_, other.memory_bytes_);
	return *this;
}

Map::~Map()
{
	if (memory_)
		munmap(memory_, memory_bytes_);
	if (fd_ >= 0)
		close(fd_);
}

Result<> check_bpf_file_system(const std::string &directory)
{
	struct statfs info {};
	if (statfs(directory.c_str(), &info) != 0)
		return fail(ErrorKind::unavailable, "cannot read " + directory + ": " + std::strerror(errno));
	if (static_cast<unsigned long>(info.f_type) != BPF_FS_MAGIC)
		return fail(ErrorKind::invalid_argument,
			    directory + " is not on a bpf file system: `mount -t bpf bpf /sys/fs/bpf`, or "
					"set paths.bpffs");
	return {};
}

bool is_pin_of_ours(std::string_view name)
{
	if (name.starts_with("link_") || name.starts_with("xsks_"))
		return true;
	const Object object(neuwerk_bpf__open(), neuwerk_bpf__destroy);
	return object && bpf_object__find_map_by_name(object->obj, std::string(name).c_str());
}

Result<PinnedMaps> open_pinned_maps(const std::string &directory, const Sizes &sizes)
{
	if (auto made = make_directory(directory); !made)
		return tl::unexpected(made.error());
	if (auto sound = check_bpf_file_system(directory); !sound)
		return tl::unexpected(sound.error());
	const Object object(neuwerk_bpf__open(), neuwerk_bpf__destroy);
	if (!object)
		return fail(ErrorKind::internal, "cannot open the XDP object: " + bpf_error(errno));
	bpf_program__set_autoload(object->progs.xsk_def_prog, false);
	bpf_map__set_autocreate(object->maps.xsks_map, false);

	PinnedMaps maps;
	auto &defined = object->maps;
	const Wanted wanted[] = {
		{&maps.config, defined.config, 0},
		{&maps.policy_active, defined.policy_active, 0},
		{&maps.policy_nodes, defined.policy_nodes, 2 * sizes.policy_nodes},
		{&maps.policy_decisions, defined.policy_decisions, 2 * sizes.policy_decisions},
		{&maps.flow_table, defined.flow_table, sizes.flow_lines},
		{&maps.next_hops, defined.next_hops, 0},
		{&maps.tx_ports, defined.tx_ports, 0},
		{&maps.verdicts, defined.verdicts, 0},
		{&maps.poller_verdicts, defined.poller_verdicts, 0},
		{&maps.buckets, defined.buckets, 0},
		{&maps.events, defined.events, 0},
		{&maps.denials, defined.denials, denial_set_count()},
	};
	std::vector<bpf_map *> missing;
	for (const Wanted &each : wanted) {
		if (each.entries)
			bpf_map__set_max_entries(each.definition, each.entries);
		auto reused = reuse_pinned(directory, each.definition);
		if (!reused)
			return tl::unexpected(reused.error());
		if (!*reused)
			missing.push_back(each.definition);
	}
	if (neuwerk_bpf__load(object.get()) != 0)
		return fail(bpf_error_kind(errno), "cannot create the maps: " + bpf_error(errno));
	for (bpf_map *map : missing)
		if (bpf_map__pin(map, (directory + "/" + bpf_map__name(map)).c_str()) != 0)
			return fail(bpf_error_kind(errno), "cannot pin " + directory + "/" +
								   bpf_map__name(map) + ": " +
								   bpf_error(errno));
	for (const Wanted &each : wanted) {
		auto taken = take_map(each.definition);
		if (!taken)
			return tl::unexpected(taken.error());
		*each.map = std::move(*taken);
	}
	return maps;
}

} // namespace neuwerk::dataplane

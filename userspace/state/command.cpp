// A write becomes a StateCommand.
#include "state/command.h"

#include "base/text.h"
#include "neuwerk/v1/state.pb.h"
#include "state/compress.h"
#include "state/records.h"

#include <utility>

namespace neuwerk::state {

namespace {

// Below, zstd saves less than its own header and table cost.
constexpr std::size_t compressed_from_bytes = 4096;

Result<> check_key(const Operation &operation)
{
	const bool may_be_empty = operation.kind == Operation::Kind::collect;
	if (operation.key.empty() && !may_be_empty)
		return fail(ErrorKind::invalid_argument, "write: a key is empty");
	if (operation.key.size() > key_limit_bytes)
		return fail(ErrorKind::invalid_argument,
			    text("write: key ", operation.key.substr(0, 64), "…: ", operation.key.size(),
				 " bytes are too large, ", key_limit_bytes, " are allowed"));
	return {};
}

Result<> add_put(const Operation &operation, v1::StateOperation::Put &put)
{
	if (operation.value.size() > value_limit_bytes)
		return fail(ErrorKind::invalid_argument,
			    text("write: ", operation.key, ": the value is too large: ",
				 operation.value.size(), " bytes, ", value_limit_bytes, " are allowed"));
	put.set_key(operation.key);
	if (operation.value.size() > compressed_from_bytes)
		if (auto packed = compress(operation.value)) {
			put.set_value(std::move(*packed));
			put.set_unpacked_bytes(operation.value.size());
			return {};
		}
	put.set_value(operation.value);
	return {};
}

Result<> add(const Operation &operation, v1::StateOperation &to)
{
	if (auto checked = check_key(operation); !checked)
		return checked;
	switch (operation.kind) {
	case Operation::Kind::put:
		return add_put(operation, *to.mutable_put());
	case Operation::Kind::erase:
		to.mutable_erase()->set_key(operation.key);
		return {};
	case Operation::Kind::require_revision:
		to.mutable_require()->set_key(operation.key);
		to.mutable_require()->set_revision(operation.revision);
		return {};
	case Operation::Kind::collect:
		to.mutable_collect()->set_prefix(operation.key);
		to.mutable_collect()->set_cutoff_ms(operation.cutoff_ms);
		return {};
	}
	return fail(ErrorKind::internal, "write: an operation of no known kind");
}

} // namespace

Operation put(std::string key, std::string value)
{
	return {.kind = Operation::Kind::put, .key = std::move(key), .value = std::move(value)};
}

Operation erase(std::string key)
{
	return {.kind = Operation::Kind::erase, .key = std::move(key), .value = {}};
}

Operation require(std::string key, std::uint64_t revision)
{
	return {.kind = Operation::Kind::require_revision,
		.key = std::move(key),
		.value = {},
		.revision = revision};
}

Operation collect(std::string prefix, std::int64_t cutoff_ms)
{
	return {.kind = Operation::Kind::collect,
		.key = std::move(prefix),
		.value = {},
		.cutoff_ms = cutoff_ms};
}

Result<std::string> encode(const Write &write, std::int64_t leader_time_ms)
{
	if (write.operations.empty())
		return fail(ErrorKind::invalid_argument, "write: no operation");
	if (write.operations.size() > operations_limit)
		return fail(ErrorKind::invalid_argument,
			    text("write: ", write.operations.size(), " operations are too many, ",
				 operations_limit, " are allowed"));
	if (write.request_id.size() > request_id_limit_bytes)
		return fail(ErrorKind::invalid_argument,
			    text("write: the request id is too large: ", write.request_id.size(), " bytes, ",
				 request_id_limit_bytes, " are allowed"));
	v1::StateCommand command;
	command.set_cmd_version(command_version);
	command.set_request_id(write.request_id);
	command.set_actor(write.actor);
	command.set_leader_time_ms(leader_time_ms);
	for (const Operation &operation : write.operations)
		if (auto added = add(operation, *command.add_operations()); !added)
			return tl::unexpected(added.error());
	return command.SerializeAsString();
}

} // namespace neuwerk::state

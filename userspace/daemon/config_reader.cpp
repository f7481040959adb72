// One mapping of a YAML file over yaml-cpp; the only file of this room that knows it.
#include "daemon/config_reader.h"

#include "base/address.h"
#include "base/text.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace neuwerk::daemon {

struct ConfigReader::Node {
	YAML::Node yaml;
	std::string path; // "dataplane.ports[1]"; empty at the top
	std::vector<std::string> known;
	std::optional<Error> error;

	[[nodiscard]] std::string path_of(std::string_view key) const
	{
		if (key.empty())
			return path.empty() ? "the file" : path;
		return path.empty() ? std::string(key) : text(path, '.', key);
	}
	[[nodiscard]] YAML::Node child(std::string_view key) const
	{
		// Looked up by hand: yaml-cpp's operator[] throws on what is not a mapping and creates on
		// non-const.
		for (const auto &entry : yaml)
			if (entry.first.IsScalar() && entry.first.Scalar() == key)
				return entry.second;
		return YAML::Node(YAML::NodeType::Undefined);
	}
	void fault(const std::string &where, std::string_view what, const YAML::Node &at)
	{
		if (error)
			return;
		const int line = at.IsDefined() ? at.Mark().line + 1 : 0;
		error = Error{ErrorKind::invalid_argument,
			      line > 0 ? text(where, ": ", what, " (line ", line, ')')
				       : text(where, ": ", what)};
	}
	// The value of a key that is there and not null; remembers that the key is known.
	std::optional<YAML::Node> take(std::string_view key)
	{
		known.emplace_back(key);
		const YAML::Node value = child(key);
		if (error || !value.IsDefined() || value.IsNull())
			return std::nullopt;
		return value;
	}
	void read_scalar(const std::string &where, const YAML::Node &value, const Read &read)
	{
		if (!value.IsScalar())
			return fault(where, "must be a single value", value);
		if (const auto outcome = read(value.Scalar()); !outcome)
			fault(where, outcome.error().what, value);
	}
	void read_section(const std::string &where, const YAML::Node &value, const ReadSection &read)
	{
		if (!value.IsMap())
			return fault(where, "must be a mapping of keys", value);
		auto node = std::make_unique<Node>();
		node->yaml = value;
		node->path = where;
		ConfigReader section(std::move(node));
		read(section);
		if (const auto outcome = section.finish(); !outcome && !error)
			error = outcome.error();
	}
	bool read_list(std::string_view key, const YAML::Node &value, std::size_t limit,
		       const std::function<void(const std::string &, const YAML::Node &)> &read)
	{
		if (value.size() > limit) {
			fault(path_of(key), text("holds ", value.size(), " entries; the limit is ", limit),
			      value);
			return true;
		}
		std::size_t index = 0;
		for (const auto &entry : value)
			read(text(path_of(key), '[', index++, ']'), entry);
		return true;
	}
};

namespace {

// Hears a document and remembers nothing.
struct Deaf final : YAML::EventHandler {
	void OnDocumentStart(const YAML::Mark &) override {}
	void OnDocumentEnd() override {}
	void OnNull(const YAML::Mark &, YAML::anchor_t) override {}
	void OnAlias(const YAML::Mark &, YAML::anchor_t) override {}
	void OnScalar(const YAML::Mark &, const std::string &, YAML::anchor_t, const std::string &) override
	{
	}
	void OnSequenceStart(const YAML::Mark &, const std::string &, YAML::anchor_t,
			     YAML::EmitterStyle::value) override
	{
	}
	void OnSequenceEnd() override {}
	void OnMapStart(const YAML::Mark &, const std::string &, YAML::anchor_t,
			YAML::EmitterStyle::value) override
	{
	}
	void OnMapEnd() override {}
};

// YAML::LoadAll would ask for one more until there is none; after ",'" yaml-cpp 0.7 always has one more.
bool holds_several_documents(std::string_view yaml)
{
	std::istringstream stream{std::string(yaml)};
	YAML::Parser parser(stream);
	Deaf handler;
	return parser.HandleNextDocument(handler) && parser.HandleNextDocument(handler);
}

} // namespace

ConfigReader::ConfigReader(std::unique_ptr<Node> node) : node_(std::move(node)) {}
ConfigReader::ConfigReader(ConfigReader &&) noexcept = default;
ConfigReader::~ConfigReader() = default;

Result<ConfigReader> ConfigReader::parse(std::string_view yaml)
{
	auto node = std::make_unique<Node>();
	try {
		if (holds_several_documents(yaml))
			return fail(ErrorKind::invalid_argument,
				    "the file holds more than one YAML document");
		if (const YAML::Node document = YAML::Load(std::string(yaml)); !document.IsNull())
			node->yaml = document;
	} catch (const YAML::Exception &error) {
		return fail(ErrorKind::invalid_argument,
			    text("not YAML: ", error.msg, " (line ", error.mark.line + 1, ')'));
	}
	if (node->yaml.IsDefined() && !node->yaml.IsNull() && !node->yaml.IsMap())
		return fail(ErrorKind::invalid_argument,
			    "the file must be a YAML mapping that starts with version: 1");
	return ConfigReader(std::move(node));
}

bool ConfigReader::scalar(std::string_view key, const Read &read)
{
	const auto value = node_->take(key);
	if (value)
		node_->read_scalar(node_->path_of(key), *value, read);
	return value.has_value();
}

bool ConfigReader::number(std::string_view key, std::uint32_t &out, std::uint32_t min, std::uint32_t max)
{
	return scalar(key, [&](const std::string &written) -> Result<> {
		const auto value = parse_number(written, max);
		if (!value || *value < min)
			return fail(ErrorKind::invalid_argument,
				    text('\'', written, "' is not a number from ", min, " to ", max));
		out = static_cast<std::uint32_t>(*value);
		return {};
	});
}

bool ConfigReader::boolean(std::string_view key, bool &out)
{
	return scalar(key, [&](const std::string &written) -> Result<> {
		if (written != "true" && written != "false")
			return fail(ErrorKind::invalid_argument,
				    text('\'', written, "' is not true or false"));
		out = written == "true";
		return {};
	});
}

bool ConfigReader::string(std::string_view key, std::string &out)
{
	return scalar(key, [&](const std::string &written) -> Result<> {
		if (written.empty())
			return fail(ErrorKind::invalid_argument, "must not be empty");
		out = written;
		return {};
	});
}

bool ConfigReader::scalars(std::string_view key, std::size_t limit, const Read &read)
{
	const auto value = node_->take(key);
	if (!value)
		return false;
	if (!value->IsSequence()) {
		node_->read_scalar(node_->path_of(key), *value, read);
		return true;
	}
	return node_->read_list(key, *value, limit, [&](const std::string &where, const YAML::Node &entry) {
		node_->read_scalar(where, entry, read);
	});
}

bool ConfigReader::section(std::string_view key, const ReadSection &read)
{
	const auto value = node_->take(key);
	if (value)
		node_->read_section(node_->path_of(key), *value, read);
	return value.has_value();
}

bool ConfigReader::sections(std::string_view key, std::size_t limit, const ReadSection &read)
{
	const auto value = node_->take(key);
	if (!value)
		return false;
	if (!value->IsSequence()) {
		node_->fault(node_->path_of(key), "must be a list", *value);
		return true;
	}
	return node_->read_list(key, *value, limit, [&](const std::string &where, const YAML::Node &entry) {
		node_->read_section(where, entry, read);
	});
}

bool ConfigReader::is_section(std::string_view key) const
{
	return node_->child(key).IsMap();
}

bool ConfigReader::has(std::string_view key) const
{
	const YAML::Node value = node_->child(key);
	return value.IsDefined() && !value.IsNull();
}

void ConfigReader::refuse(std::string_view key, std::string_view what)
{
	node_->fault(node_->path_of(key), what, key.empty() ? node_->yaml : node_->child(key));
}

Result<> ConfigReader::finish()
{
	std::vector<std::string> seen;
	for (const auto &entry : node_->yaml) {
		const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "(not a name)";
		if (std::ranges::find(seen, key) != seen.end())
			node_->fault(node_->path_of(key), "stands here twice", entry.first);
		if (std::ranges::find(node_->known, key) == node_->known.end()) {
			std::string known;
			for (const std::string &name : node_->known)
				known += known.empty() ? name : text(", ", name);
			node_->fault(node_->path_of(key), text("unknown key; known here: ", known),
				     entry.first);
		}
		seen.push_back(key);
	}
	if (node_->error)
		return tl::unexpected(*node_->error);
	return {};
}

} // namespace neuwerk::daemon

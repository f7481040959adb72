// The log over spdlog; the only file that knows it.
#include "base/log.h"

#include "base/text.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>

namespace neuwerk::log {

namespace {

struct NamedLevel {
	std::string_view name;
	Level level;
};
constexpr std::array named_levels = {NamedLevel{"debug", Level::debug}, NamedLevel{"info", Level::info},
				     NamedLevel{"warning", Level::warning},
				     NamedLevel{"error", Level::error}};

spdlog::level::level_enum library_level(Level level)
{
	switch (level) {
	case Level::debug:
		return spdlog::level::debug;
	case Level::info:
		return spdlog::level::info;
	case Level::warning:
		return spdlog::level::warn;
	case Level::error:
		break;
	}
	return spdlog::level::err;
}

} // namespace

Result<Level> parse_level(std::string_view text)
{
	for (const NamedLevel &known : named_levels)
		if (known.name == text)
			return known.level;
	return fail(ErrorKind::invalid_argument,
		    neuwerk::text("'", text, "' is not a log level: debug, info, warning or error"));
}

std::string_view name(Level level)
{
	for (const NamedLevel &known : named_levels)
		if (known.level == level)
			return known.name;
	return "info";
}

void open(std::string_view program, Level level)
{
	auto logger = std::make_shared<spdlog::logger>(std::string(program),
						       std::make_shared<spdlog::sinks::stderr_sink_mt>());
	logger->set_pattern("%n: %l: %v");
	logger->set_level(library_level(level));
	logger->flush_on(spdlog::level::debug);
	spdlog::set_default_logger(std::move(logger));
}

void write(Level level, std::string_view line)
{
	spdlog::default_logger_raw()->log(library_level(level),
					  spdlog::string_view_t(line.data(), line.size()));
}

} // namespace neuwerk::log

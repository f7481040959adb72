// The log: one line per event, to standard error, where systemd adds time and unit. Safe from every thread.
#pragma once

#include "base/result.h"

#include <string_view>

namespace neuwerk::log {

enum class Level { debug, info, warning, error };

// "debug", "info", "warning" or "error".
[[nodiscard]] Result<Level> parse_level(std::string_view text);
[[nodiscard]] std::string_view name(Level level);

// Lines below `level` are dropped. Before the first call: info. `program` opens each line.
void open(std::string_view program, Level level);

void write(Level level, std::string_view line);

inline void debug(std::string_view line)
{
	write(Level::debug, line);
}
inline void info(std::string_view line)
{
	write(Level::info, line);
}
inline void warning(std::string_view line)
{
	write(Level::warning, line);
}
inline void error(std::string_view line)
{
	write(Level::error, line);
}

} // namespace neuwerk::log

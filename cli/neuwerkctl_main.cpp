// The program neuwerkctl: gives the real world to run().
#include "nouns.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <iterator>
#include <thread>

namespace {

using namespace neuwerk::cli;

void write_to(std::FILE *file, std::string_view text)
{
	std::fwrite(text.data(), 1, text.size(), file);
	std::fflush(file);
}

} // namespace

int main(int argc, char **argv)
{
	neuwerk::SystemFiles files;
	World world{
		.variable = [](const char *name) -> std::optional<std::string> {
			const char *value = std::getenv(name);
			return value ? std::optional<std::string>(value) : std::nullopt;
		},
		.out = [](std::string_view text) { write_to(stdout, text); },
		.error = [](std::string_view text) { write_to(stderr, text); },
		.is_out_terminal = isatty(STDOUT_FILENO) != 0,
		.is_error_terminal = isatty(STDERR_FILENO) != 0,
		.standard_input = [] { return std::string(std::istreambuf_iterator<char>(std::cin), {}); },
		.now_s = [] { return static_cast<std::int64_t>(std::time(nullptr)); },
		.pause =
			[](std::chrono::seconds time) {
				std::this_thread::sleep_for(time);
				return true;
			},
		.connect = curl_transport,
		.files = &files,
	};
	return run({argv + 1, argv + argc}, world);
}

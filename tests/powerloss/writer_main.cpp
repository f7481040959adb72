// The victim of kill_test: powerloss_writer DIRECTORY writes until it is killed.
//
// One line per acknowledged write to standard output, its number; numbers go on where the Store left off.
// The first line is "open N": the highest number that it found.
#include "state/state.h"

#include <unistd.h>

#include <cstdio>
#include <semaphore>
#include <string>

using namespace neuwerk;

namespace {

constexpr std::ptrdiff_t in_flight_max = 32;

void say(const std::string &line)
{
	const std::string whole = line + "\n";
	if (write(STDOUT_FILENO, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
		_exit(1); // nobody listens any more
}

} // namespace

int main(int count, char **arguments)
{
	if (count != 2)
		return 2;
	auto store = state::Store::open(
		{.directory = arguments[1], .free_bytes = [](const std::string &) { return std::nullopt; }});
	if (!store) {
		std::fprintf(stderr, "%s\n", store.error().what.c_str());
		return 1;
	}
	const auto counter = (*store)->get("count");
	if (!counter)
		return 1;
	std::uint64_t number = *counter ? std::stoull((*counter)->value) : 0;
	say("open " + std::to_string(number));
	std::counting_semaphore<in_flight_max> slots(in_flight_max);
	for (;;) {
		slots.acquire();
		const std::string name = std::to_string(++number);
		(*store)->write(
			{.operations = {state::put("count", name),
					state::put("item/" + name, std::string(number % 9000, 'x') + name)},
			 .actor = "test",
			 .request_id = name},
			[&slots, name](const Result<state::Index> &answer) {
				if (!answer)
					_exit(1);
				say(name);
				slots.release();
			});
	}
}

// kill -9 at any moment, on a real disk: every write that was acknowledged is there, once.
#include "base/fd.h"
#include "properties/random.h"
#include "state/state.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

using namespace neuwerk;

namespace {

constexpr int kills = 200;

// A process of ours, killed at the end of its life here.
class Writer {
public:
	explicit Writer(const std::string &directory)
	{
		int ends[2];
		REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
		output_ = Fd(ends[0]);
		const Fd input(ends[1]);
		process_ = fork();
		REQUIRE(process_ >= 0);
		if (process_ == 0) {
			dup2(input.get(), STDOUT_FILENO);
			execl(NW_POWERLOSS_WRITER, NW_POWERLOSS_WRITER, directory.c_str(), nullptr);
			_exit(127);
		}
	}
	~Writer()
	{
		kill();
	}
	Writer(const Writer &) = delete;
	Writer &operator=(const Writer &) = delete;

	// Reads until so many bytes of output have come; all that was said until the death in the end.
	void read(std::size_t bytes)
	{
		while (said_.size() < bytes && read_some())
			;
	}
	void kill()
	{
		if (process_ < 0)
			return;
		::kill(process_, SIGKILL);
		while (read_some())
			;
		waitpid(process_, &status_, 0);
		process_ = -1;
	}
	[[nodiscard]] const std::string &said() const
	{
		return said_;
	}
	[[nodiscard]] bool was_killed() const // and did not end by itself
	{
		return WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL;
	}

private:
	bool read_some()
	{
		std::array<char, 4096> chunk;
		const ssize_t count = ::read(output_.get(), chunk.data(), chunk.size());
		if (count > 0)
			said_.append(chunk.data(), static_cast<std::size_t>(count));
		return count > 0;
	}

	Fd output_;
	pid_t process_ = -1;
	int status_ = 0;
	std::string said_;
};

// The highest number on a whole line; the writer acknowledges in order.
std::uint64_t last_acknowledged(const std::string &said)
{
	const std::size_t end = said.rfind('\n');
	if (end == std::string::npos)
		return 0;
	std::size_t start = said.rfind('\n', end - 1);
	start = start == std::string::npos || end == 0 ? 0 : start + 1;
	const std::string line = said.substr(start, end - start);
	return std::stoull(line.starts_with("open ") ? line.substr(5) : line);
}

// "" or what is wrong with the store; `count` becomes the number of writes in it.
std::string verify(const std::string &directory, std::uint64_t acknowledged, std::uint64_t &count)
{
	const auto store = state::Store::open({.directory = directory});
	if (!store)
		return store.error().what;
	const auto counter = (*store)->get("count");
	const auto items = (*store)->list("item/");
	if (!counter || !items)
		return "the store cannot be read";
	count = *counter ? (*counter)->revision : 0;
	if (count < acknowledged)
		return "write " + std::to_string(acknowledged) + " was acknowledged, the store ends with " +
		       std::to_string(count);
	if (count != 0 && (*counter)->value != std::to_string(count))
		return "a write was applied twice or is missing before " + (*counter)->value;
	if (items->size() != count)
		return std::to_string(items->size()) + " items of " + std::to_string(count) + " writes";
	for (const state::Record &item : *items) {
		const std::string name = item.key.substr(5);
		if (item.revision != 1 || item.value != std::string(std::stoull(name) % 9000, 'x') + name)
			return item.key + " has another value";
	}
	return "";
}

} // namespace

TEST_CASE("200 times kill -9 lose no acknowledged write and apply none twice")
{
	std::string pattern = std::filesystem::temp_directory_path() / "nw-kill-XXXXXX";
	REQUIRE(mkdtemp(pattern.data()));
	std::uint64_t count = 0, acknowledged_in_all = 0;
	properties::Random random(4711);
	for (int kill = 0, life = 0; kill < kills; kill++, life++) {
		if (life == 20) { // a fresh store now and then: creation is a moment to die, too
			std::filesystem::remove_all(pattern);
			std::filesystem::create_directory(pattern);
			count = 0;
			life = 0;
		}
		CAPTURE(kill);
		Writer writer(pattern);
		writer.read(random.chance(20) ? 0 : random.below(400));
		writer.kill();
		REQUIRE(writer.was_killed());
		const std::uint64_t acknowledged = std::max(count, last_acknowledged(writer.said()));
		acknowledged_in_all += acknowledged - count;
		const std::string wrong = verify(pattern, acknowledged, count);
		CAPTURE(wrong);
		REQUIRE(wrong.empty());
	}
	CHECK(acknowledged_in_all > 1000);
	std::filesystem::remove_all(pattern); // after a failure the files stay: they are the evidence
}

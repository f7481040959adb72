// A world for the tests of neuwerkctl: an appliance that answers from a list, and ears for what is printed.
#pragma once

#include "session.h"

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace neuwerk::cli {

struct TestWorld {
	std::deque<Response> answers; // in order; a request without one fails
	std::vector<Request> requests;
	std::vector<Target> targets;
	std::map<std::string, std::string> variables;
	std::string out, error, standard_input;
	int pauses = 0; // how often --watch may go on
	SystemFiles files;
	World world;

	class Scripted final : public Transport {
	public:
		explicit Scripted(TestWorld &test) : test_(test) {}
		Result<Response> exchange(const Request &request) override
		{
			test_.requests.push_back(request);
			if (test_.answers.empty())
				return fail(ErrorKind::unavailable, "nobody answers");
			Response answer = test_.answers.front();
			test_.answers.pop_front();
			return answer;
		}
		Result<Response> stream(const Request &request, const std::function<void()> &opened,
					const std::function<bool(std::string_view)> &take) override
		{
			auto answer = exchange(request);
			if (!answer || answer->status != 200)
				return answer;
			opened();
			// In pieces as small as a network may cut them.
			for (const char each : answer->body)
				if (!take({&each, 1}))
					return answer;
			return fail(ErrorKind::unavailable, "the stream ended");
		}

	private:
		TestWorld &test_;
	};

	TestWorld()
	{
		world.variable = [this](const char *name) -> std::optional<std::string> {
			const auto found = variables.find(name);
			return found == variables.end() ? std::nullopt
							: std::optional<std::string>(found->second);
		};
		world.out = [this](std::string_view text) { out += text; };
		world.error = [this](std::string_view text) { error += text; };
		world.standard_input = [this] { return standard_input; };
		world.now_s = [] { return std::int64_t{1'700'000'000}; };
		world.pause = [this](std::chrono::seconds) { return pauses-- > 0; };
		world.connect = [this](TransportOptions options) {
			targets.push_back(options.target);
			return std::make_unique<Scripted>(*this);
		};
		world.files = &files;
	}
	TestWorld(const TestWorld &) = delete;

	TestWorld &answer(int status, std::string body, Headers headers = {})
	{
		answers.push_back({status, std::move(headers), std::move(body)});
		return *this;
	}
	// One command line; what it printed before is forgotten.
	int operator()(const std::vector<std::string> &arguments)
	{
		out.clear();
		error.clear();
		return run(arguments, world);
	}
};

inline void write_file(const std::string &path, const std::string &content)
{
	std::ofstream(path) << content;
}

// "PUT /path body"
inline std::string line_of(const Request &request)
{
	return request.method + ' ' + request.path + (request.body.empty() ? "" : ' ' + request.body);
}

// A directory that is gone afterwards.
class TestDirectory {
public:
	TestDirectory()
	{
		std::string name = (std::filesystem::temp_directory_path() / "nw-cli-XXXXXX").string();
		path_ = mkdtemp(name.data());
	}
	~TestDirectory()
	{
		std::filesystem::remove_all(path_);
	}
	[[nodiscard]] std::string operator/(const std::string &name) const
	{
		return path_ + '/' + name;
	}
	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

private:
	std::string path_;
};

} // namespace neuwerk::cli

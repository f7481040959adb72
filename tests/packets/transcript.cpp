// Reading transcripts.
#include "transcript.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace neuwerk::packets {

namespace {

class Reader {
public:
	explicit Reader(const std::string &path) : path_(path), input_(path) {}

	Result<std::vector<Case>> read()
	{
		if (!input_)
			return fail(ErrorKind::not_found, path_ + " cannot be read");
		std::string line;
		while (next(line)) {
			if (line.empty() || line.starts_with('#'))
				continue;
			if (auto outcome = statement(line); !outcome)
				return fail(outcome.error().kind, path_ + ":" + std::to_string(number_) +
									  ": " + outcome.error().what);
		}
		return std::move(cases_);
	}

private:
	bool next(std::string &line)
	{
		if (!std::getline(input_, line))
			return false;
		number_++;
		return true;
	}

	Result<> statement(const std::string &line)
	{
		std::istringstream words(line);
		std::string verb, rest;
		words >> verb >> std::ws;
		std::getline(words, rest);
		if (verb == "snat") {
			setting_.snat = rest;
			return {};
		}
		if (verb == "form") {
			setting_.needs_two_ports = rest == "two-arm";
			return {};
		}
		if (verb == "host-service") {
			setting_.host_services.push_back(rest);
			return {};
		}
		if (verb == "case") {
			cases_.push_back(
				{std::filesystem::path(path_).filename(), rest, setting_, {}, false});
			return {};
		}
		if (cases_.empty())
			return fail(ErrorKind::invalid_argument, "a step before the first `case`");
		return step(verb, rest);
	}

	Result<> step(const std::string &verb, const std::string &rest)
	{
		if (verb == "policy" || verb == "refused")
			return add(Apply{block(), rest});
		if (verb == ">" || verb == "<") {
			const auto space = rest.find(' ');
			const std::string side = rest.substr(0, space);
			auto packet = read_packet(space == std::string::npos ? "" : rest.substr(space + 1));
			if (!packet)
				return tl::unexpected(packet.error());
			if (side != "inside" && side != "outside")
				return fail(ErrorKind::invalid_argument,
					    "neither inside nor outside: " + side);
			const Side where = side == "inside" ? Side::inside : Side::outside;
			return verb == ">" ? add(Arrives{where, *packet}) : add(Leaves{where, *packet});
		}
		if (verb == "x")
			return add(Ends{rest});
		if (verb == "@") {
			cases_.back().needs_time = true;
			return add(TimePasses{std::stoull(rest.substr(1))});
		}
		if (verb == "=")
			return claim(rest);
		return fail(ErrorKind::invalid_argument, "not a step: " + verb);
	}

	Result<> claim(const std::string &rest)
	{
		std::istringstream words(rest);
		std::string first, second, third, fourth;
		words >> first >> second >> third >> fourth;
		if (first == "event")
			return add(Reported{second, third, fourth});
		if (first == "verdict")
			return add(EndedAs{second});
		if (first == "flows")
			return add(FlowCount{std::stoull(second)});
		if (second == "!=")
			return add(NamesDiffer{first, third});
		if (const auto dash = second.find('-'); dash != std::string::npos)
			return add(NameInRange{
				first, static_cast<std::uint16_t>(std::stoul(second.substr(0, dash))),
				static_cast<std::uint16_t>(std::stoul(second.substr(dash + 1)))});
		return fail(ErrorKind::invalid_argument, "not a claim: " + rest);
	}

	// The indented lines that follow.
	std::string block()
	{
		std::string text, line;
		while (input_.peek() == '\t' && next(line))
			text += line.substr(1) + "\n";
		return text;
	}

	Result<> add(Step step)
	{
		cases_.back().lines.push_back({number_, std::move(step)});
		return {};
	}

	std::string path_;
	std::ifstream input_;
	int number_ = 0;
	Setting setting_;
	std::vector<Case> cases_;
};

} // namespace

Result<std::vector<Case>> read_transcript(const std::string &path)
{
	return Reader(path).read();
}

} // namespace neuwerk::packets

// Playing a transcript on an appliance.
#include "appliance.h"

#include <algorithm>
#include <filesystem>

namespace neuwerk::packets {

namespace {

class Player {
public:
	Player(const Case &example, Form form, Appliance &appliance)
	    : example_(example), form_(form), appliance_(appliance)
	{
	}

	std::vector<std::string> play()
	{
		for (const Line &line : example_.lines) {
			number_ = line.number;
			std::visit([this](const auto &step) { take(step); }, line.step);
		}
		number_++;
		settle();
		return std::move(complaints_);
	}

private:
	void complain(const std::string &what)
	{
		complaints_.push_back(example_.file + ":" + std::to_string(number_) + ": " + what);
	}

	// Whatever the last packet caused and nobody asked for.
	void settle()
	{
		for (const Left &left : observed_.left)
			complain("nobody expected " + describe(left) + " (" + observed_.verdict + ")");
		observed_ = {};
	}

	static std::string describe(const Left &left)
	{
		return std::string(left.side == Side::inside ? "inside " : "outside ") + line_of(left.frame);
	}

	void take(const Apply &step)
	{
		settle();
		const auto outcome = appliance_.apply(step.document);
		if (outcome && !step.refusal.empty())
			complain("expected a refusal with " + step.refusal + ", was accepted");
		if (!outcome &&
		    (step.refusal.empty() || outcome.error().what.find(step.refusal) == std::string::npos))
			complain("expected " + (step.refusal.empty() ? "acceptance" : step.refusal) +
				 ", saw " + outcome.error().what);
	}

	void take(const Arrives &step)
	{
		settle();
		sent_ = step.packet;
		const Mac &to =
			form_ == Form::one_arm || step.side == Side::inside ? inside_mac : outside_mac;
		const auto frame = frame_of(step.packet, names_, to,
					    step.side == Side::inside ? client_mac : server_mac);
		if (!frame)
			return complain(frame.error().what);
		observed_ = appliance_.send(step.side, *frame);
	}

	void take(const Leaves &step)
	{
		PacketText expected = step.packet;
		if (expected.ttl == 64)
			expected.ttl = static_cast<std::uint8_t>(sent_.ttl - 1);
		if (!expected.payload_bytes)
			expected.payload_bytes = sent_.payload_bytes;
		expected.has_checksum = expected.has_checksum && sent_.has_checksum;
		if (observed_.left.empty())
			return complain("expected " + line_of(expected, names_) + ", nothing left (" +
					observed_.verdict + ")");
		const Left left = observed_.left.front();
		observed_.left.erase(observed_.left.begin());
		bind_names(step.packet, left.frame, names_);
		const std::string wanted = std::string(step.side == Side::inside ? "inside " : "outside ") +
					   line_of(expected, names_);
		if (describe(left) != wanted)
			complain("expected " + wanted + ", saw " + describe(left));
		const Mac &from =
			form_ == Form::one_arm || left.side == Side::inside ? inside_mac : outside_mac;
		if (!std::equal(from.begin(), from.end(), left.frame.begin() + 6))
			complain("the source MAC is not the appliance's");
	}

	void take(const Ends &step)
	{
		if (observed_.verdict != step.verdict)
			complain("expected " + step.verdict + ", saw " + observed_.verdict);
	}

	void take(const EndedAs &step)
	{
		take(Ends{step.verdict});
	}

	void take(const Reported &step)
	{
		const SeenEvent wanted{step.kind, step.group, step.rule};
		const auto events = appliance_.events(wanted);
		if (std::ranges::find(events, wanted) != events.end())
			return;
		std::string seen;
		for (const SeenEvent &event : events)
			seen += " [" + event.kind + " " + event.group + " " + event.rule + "]";
		complain("expected event " + step.kind + " " + step.group + " " + step.rule + ", saw" +
			 (seen.empty() ? " none" : seen));
	}

	void take(const FlowCount &step)
	{
		if (const auto flows = appliance_.flows(step.count); flows != step.count)
			complain("expected " + std::to_string(step.count) + " flows, saw " +
				 std::to_string(flows));
	}

	void take(const NamesDiffer &step)
	{
		if (names_[step.left] == names_[step.right])
			complain(step.left + " and " + step.right + " are both " +
				 std::to_string(names_[step.left]));
	}

	void take(const NameInRange &step)
	{
		if (names_[step.name] < step.first || names_[step.name] > step.last)
			complain(step.name + " is " + std::to_string(names_[step.name]));
	}

	void take(const TimePasses &step)
	{
		settle();
		appliance_.pass(step.seconds);
	}

	const Case &example_;
	Form form_;
	Appliance &appliance_;
	int number_ = 0;
	Names names_;
	PacketText sent_;
	Observed observed_;
	std::vector<std::string> complaints_;
};

} // namespace

Result<std::vector<Case>> every_case(const std::string &directory)
{
	std::vector<std::string> files;
	for (const auto &entry : std::filesystem::directory_iterator(directory))
		files.push_back(entry.path());
	std::ranges::sort(files);
	std::vector<Case> cases;
	for (const std::string &file : files) {
		auto read = read_transcript(file);
		if (!read)
			return read;
		cases.insert(cases.end(), read->begin(), read->end());
	}
	return cases;
}

std::vector<std::string> play(const Case &example, Form form, Appliance &appliance)
{
	return Player(example, form, appliance).play();
}

} // namespace neuwerk::packets

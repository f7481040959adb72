// neuwerk-sim TRANSCRIPT [one-arm]: plays a transcript on the pure core and tells what happens to every
// packet.
#include "appliance.h"

#include <cstdio>
#include <string>

namespace {

using namespace neuwerk::packets;

const char *name_of(Side side)
{
	return side == Side::inside ? "inside" : "outside";
}

// Passes everything on to the simulator and says so.
class Narrator : public Appliance {
public:
	explicit Narrator(Appliance &inner) : inner_(inner) {}

	neuwerk::Result<> apply(const std::string &document) override
	{
		const auto outcome = inner_.apply(document);
		std::printf("  policy applied%s%s\n",
			    outcome ? "" : ": refused: ", outcome ? "" : outcome.error().what.c_str());
		return outcome;
	}

	Observed send(Side side, const std::vector<std::uint8_t> &frame) override
	{
		const Observed observed = inner_.send(side, frame);
		std::printf("  %-7s  %-52s  %s\n", name_of(side), line_of(frame).c_str(),
			    observed.verdict.c_str());
		for (const Left &left : observed.left)
			std::printf("  %7s> %-52s\n", name_of(left.side), line_of(left.frame).c_str());
		for (const SeenEvent &event : inner_.events({}))
			std::printf("           event: %s, group %s, rule %s\n", event.kind.c_str(),
				    event.group.c_str(), event.rule.c_str());
		return observed;
	}

	std::vector<SeenEvent> events(const SeenEvent &wanted) override
	{
		return inner_.events(wanted);
	}

	std::uint64_t flows(std::uint64_t wanted) override
	{
		return inner_.flows(wanted);
	}

	void pass(std::uint64_t seconds) override
	{
		std::printf("  %llu seconds pass\n", static_cast<unsigned long long>(seconds));
		inner_.pass(seconds);
	}

	neuwerk::Result<> sweep() override
	{
		return inner_.sweep();
	}

private:
	Appliance &inner_;
};

int tell(const Case &example, Form form)
{
	std::printf("\n%s\n", example.sentence.c_str());
	auto appliance = pure_appliance(form, example.setting);
	if (!appliance) {
		std::fprintf(stderr, "neuwerk-sim: %s\n", appliance.error().what.c_str());
		return 1;
	}
	Narrator narrator(**appliance);
	const auto complaints = play(example, form, narrator);
	for (const std::string &complaint : complaints)
		std::printf("  NOT AS WRITTEN: %s\n", complaint.c_str());
	return complaints.empty() ? 0 : 1;
}

} // namespace

int main(int count, char **words)
{
	const std::string form = count == 3 ? words[2] : "two-arm";
	if (count < 2 || count > 3 || (form != "one-arm" && form != "two-arm")) {
		std::fprintf(stderr, "usage: neuwerk-sim TRANSCRIPT [one-arm]\n");
		return 2;
	}
	const auto cases = read_transcript(words[1]);
	if (!cases) {
		std::fprintf(stderr, "neuwerk-sim: %s\n", cases.error().what.c_str());
		return 1;
	}
	int failures = 0;
	for (const Case &example : *cases)
		failures += tell(example, form == "one-arm" ? Form::one_arm : Form::two_arm);
	return failures ? 1 : 0;
}

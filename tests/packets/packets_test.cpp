// Every transcript on the pure core, in both forms.
#include "appliance.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace neuwerk::packets;

std::vector<Case> every_case()
{
	std::vector<std::string> files;
	for (const auto &entry : std::filesystem::directory_iterator(NW_TRANSCRIPTS))
		files.push_back(entry.path());
	std::ranges::sort(files);
	std::vector<Case> cases;
	for (const std::string &file : files) {
		auto read = read_transcript(file);
		REQUIRE_MESSAGE(read, (read ? "" : read.error().what));
		cases.insert(cases.end(), read->begin(), read->end());
	}
	return cases;
}

void play_every_case(Form form)
{
	const auto cases = every_case();
	CHECK(cases.size() >= 30);
	for (const Case &example : cases) {
		if (example.setting.needs_two_ports && form == Form::one_arm)
			continue;
		CAPTURE(example.file);
		CAPTURE(example.sentence);
		auto appliance = pure_appliance(form, example.setting);
		REQUIRE(appliance);
		for (const std::string &complaint : play(example, form, **appliance))
			FAIL_CHECK(complaint);
	}
}

} // namespace

TEST_CASE("every transcript holds on the pure core with two ports")
{
	play_every_case(Form::two_arm);
}

TEST_CASE("every transcript holds on the pure core with one port")
{
	play_every_case(Form::one_arm);
}

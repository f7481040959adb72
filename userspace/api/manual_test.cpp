// docs/reference/api.md lists every route, word for word, and no other.
#include "api/route_bench.h"
#include "base/text.h"

#include <filesystem>
#include <fstream>
#include <set>

using namespace neuwerk;
using namespace neuwerk::api;

namespace {

std::string_view name_of(Method method)
{
	switch (method) {
	case Method::get:
		return "GET";
	case Method::put:
		return "PUT";
	case Method::post:
		return "POST";
	case Method::patch:
		return "PATCH";
	case Method::erase:
		return "DELETE";
	}
	return "";
}

// Who may call it, in the words of the page.
std::string_view caller_of(const Route &route)
{
	switch (route.access) {
	case Access::open:
		return "anybody";
	case Access::user:
		return route.method == Method::get ? "any token" : "admin";
	case Access::admin:
		return "admin";
	case Access::local:
		return "local socket";
	}
	return "";
}

std::string row_of(const Route &route)
{
	std::string parameters;
	for (const std::string_view key : route.documentation.query)
		parameters += text(parameters.empty() ? "" : " ", '`', key, '`');
	return text("| ", name_of(route.method), " | `", route.path, "` | ", caller_of(route), " | ",
		    parameters, parameters.empty() ? "| " : " | ", route.documentation.summary, " |");
}

std::set<std::string> rows_of_page()
{
	std::ifstream page(std::filesystem::path(__FILE__).parent_path() / "../../docs/reference/api.md");
	std::set<std::string> rows;
	for (std::string line; std::getline(page, line);)
		for (const std::string_view method : {"GET", "PUT", "POST", "PATCH", "DELETE"})
			if (line.starts_with(text("| ", method, " |")))
				rows.insert(line);
	return rows;
}

std::set<std::string> rows_of_table;

} // namespace

TEST_CASE("the reference lists every route with its caller, its parameters and its summary")
{
	rows_of_table.clear();
	const RouteBench bench([](Routes &own, Services &services) {
		own = all_routes(services);
		for (const Route &route : own)
			rows_of_table.insert(row_of(route));
	});
	const std::set<std::string> written = rows_of_page();
	for (const std::string &row : rows_of_table)
		CHECK_MESSAGE(written.contains(row), "docs/reference/api.md lacks: ", row);
	for (const std::string &row : written)
		CHECK_MESSAGE(rows_of_table.contains(row), "docs/reference/api.md has no route for: ", row);
}

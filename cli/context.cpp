// neuwerkctl context: the appliances that you know, by name.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

struct Book {
	std::string path;
	Contexts contexts;
};

Result<Book> open_book(const Session &session)
{
	auto path = contexts_path(session.world.variable);
	if (!path)
		return tl::unexpected(path.error());
	auto contexts = read_contexts(*session.world.files, *path);
	if (!contexts)
		return tl::unexpected(contexts.error());
	return Book{std::move(*path), std::move(*contexts)};
}

Result<> close_book(const Session &session, const Book &book, const std::string &line,
		    const std::string &name)
{
	const auto written = write_contexts(*session.world.files, book.path, book.contexts);
	if (!written)
		return written;
	session.done(line, Json::object({{"name", name}, {"current", book.contexts.current}}));
	return {};
}

Result<> list(const Session &session)
{
	const auto book = open_book(session);
	if (!book)
		return tl::unexpected(book.error());
	Json::Array rows;
	for (const auto &[name, target] : book->contexts.targets)
		rows.push_back(Json::object(
			{{"current", name == book->contexts.current ? "*" : ""},
			 {"name", name},
			 {"appliance", target.server.empty() ? "unix:" + target.socket : target.server},
			 {"ca", target.ca},
			 {"token", target.token.empty() ? "no" : "yes"}}));
	session.print(listed(rows,
			     {{"CURRENT", "current"},
			      {"NAME", "name"},
			      {"APPLIANCE", "appliance"},
			      {"CA", "ca"},
			      {"TOKEN", "token"}},
			     "no contexts: the socket of this host is asked", session.style));
	return {};
}

Result<> use(const Session &session)
{
	auto book = open_book(session);
	if (!book)
		return tl::unexpected(book.error());
	const std::string name = session.words.get("NAME");
	if (!book->contexts.targets.contains(name))
		return fail(ErrorKind::not_found,
			    text("context '", name, "': there is none in ", book->path));
	book->contexts.current = name;
	return close_book(session, *book, text("context ", name, " is used from now on"), name);
}

// What is not given stays; a context that did not exist becomes the current one when there is none.
Result<> set(const Session &session)
{
	auto book = open_book(session);
	if (!book)
		return tl::unexpected(book.error());
	const Words &words = session.words;
	const std::string name = words.get("NAME");
	Target target = book->contexts.targets[name];
	if (words.has("--socket"))
		target = {.socket = words.get("--socket")};
	if (words.has("--server")) {
		auto server = parse_server(words.get("--server"));
		if (!server)
			return tl::unexpected(server.error());
		target.server = std::move(*server);
		target.socket.clear();
	}
	if (words.has("--token"))
		target.token = words.get("--token");
	if (words.has("--token-file")) {
		const auto content = read_file(session.world, words.get("--token-file"));
		if (!content)
			return tl::unexpected(content.error());
		target.token = content->substr(0, content->find_first_of(" \r\n\t"));
	}
	if (words.has("--ca"))
		target.ca = words.get("--ca");
	if (target.socket.empty() && target.server.empty())
		return fail(ErrorKind::invalid_argument,
			    text("context '", name, "': give it a --server or a --socket"));
	book->contexts.targets[name] = std::move(target);
	if (book->contexts.current.empty())
		book->contexts.current = name;
	return close_book(session, *book, text("context ", name, " is stored in ", book->path), name);
}

Result<> erase(const Session &session)
{
	auto book = open_book(session);
	if (!book)
		return tl::unexpected(book.error());
	const std::string name = session.words.get("NAME");
	if (book->contexts.targets.erase(name) == 0)
		return fail(ErrorKind::not_found,
			    text("context '", name, "': there is none in ", book->path));
	if (book->contexts.current == name)
		book->contexts.current.clear();
	return close_book(session, *book, text("context ", name, " is removed"), name);
}

const Option name_argument{.name = "NAME", .help = "of the context", .required = true};

} // namespace

std::vector<Command> context_commands()
{
	return {
		{.words = "context list",
		 .help = "all of them; tokens are not shown",
		 .run = [](Session &session) { return list(session); },
		 .offline = true},
		{.words = "context use",
		 .help = "ask this one from now on",
		 .options = {name_argument},
		 .run = [](Session &session) { return use(session); },
		 .offline = true},
		{.words = "context set",
		 .help = "store --server, --token, --ca or --socket under a name",
		 .options = {{.name = "--token-file",
			      .value = "FILE",
			      .help = "read the token from here; - is standard input",
			      .is_file = true},
			     name_argument},
		 .run = [](Session &session) { return set(session); },
		 .check = [](const Words &words) -> Result<> {
			 if (words.has("--socket") && words.has("--server"))
				 return fail(ErrorKind::invalid_argument,
					     "--socket and --server are mutually exclusive");
			 return {};
		 },
		 .offline = true},
		{.words = "context remove",
		 .help = "forget it",
		 .options = {name_argument},
		 .run = [](Session &session) { return erase(session); },
		 .offline = true},
	};
}

} // namespace neuwerk::cli

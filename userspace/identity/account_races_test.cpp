// Many writers of service accounts and tokens at once: no update of one undoes another's.
#include "identity/identity_bench.h"

#include "identity/account_book.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

using namespace neuwerk;
using namespace neuwerk::identity;

TEST_CASE("every account and token that was acknowledged is listed, however many ask at once")
{
	Bench bench;
	constexpr int thread_count = 16, each_count = 5;
	const auto account = bench.account();
	std::atomic<int> failures = 0;
	std::vector<std::thread> threads;
	for (int i = 0; i < thread_count; i++)
		threads.emplace_back([&] {
			for (int k = 0; k < each_count; k++) {
				failures +=
					bench->create_account({"x", std::nullopt, Role::admin}, "t") ? 0 : 1;
				failures += bench->mint_token(account.id, {}, "t") ? 0 : 1;
			}
		});
	for (auto &thread : threads)
		thread.join();
	CHECK(failures == 0);
	CHECK(bench->accounts()->size() == 1 + thread_count * each_count);
	CHECK(bench->tokens(account.id)->size() == thread_count * each_count);
}

TEST_CASE("no token outlives the disabling of its account, however both race")
{
	Bench bench;
	const auto account = bench.account();
	std::mutex mutex;
	std::vector<std::string> minted;
	std::vector<std::thread> threads;
	for (int i = 0; i < 8; i++)
		threads.emplace_back([&] {
			while (const auto token = bench->mint_token(account.id, {}, "t")) {
				const std::lock_guard lock(mutex);
				minted.push_back(token->token);
			}
		});
	for (std::size_t count = 0; count < 16; std::this_thread::yield()) {
		const std::lock_guard lock(mutex);
		count = minted.size();
	}
	CHECK(bench->disable_account(account.id, "root"));
	for (auto &thread : threads)
		thread.join();
	for (const auto &token : minted)
		CHECK(bench.refusal(token) == "token revoked");
	const auto tokens = bench->tokens(account.id);
	CHECK(std::ranges::all_of(*tokens, [](const auto &t) { return t.revoked_at.has_value(); }));
}

TEST_CASE("a token is not added to an account that changed since it was read")
{
	Bench bench;
	AccountBook book(*bench.store, [&] { return bench.now_ms; });
	const auto account = bench.account();
	const auto read = book.find_account(account.id);
	REQUIRE(bench->disable_account(account.id, "root"));
	TokenRecord token{.meta = {.id = crypto::random_uuid(), .service_account_id = account.id}};
	const auto added = book.add_token(read->value(), token, "root");
	REQUIRE_FALSE(added);
	CHECK(added.error().kind == ErrorKind::conflict);
	CHECK(book.tokens(account.id)->empty());
}

TEST_CASE("no update brings a disabled account back, however both race")
{
	for (int round = 0; round < 10; round++) {
		Bench bench;
		const auto account = bench.account();
		std::atomic<bool> is_over = false;
		std::atomic<int> update_count = 0;
		std::vector<std::thread> threads;
		for (int i = 0; i < 4; i++)
			threads.emplace_back([&] {
				while (!is_over) {
					(void)bench->update_account(account.id,
								    {"x", std::nullopt, Role::admin}, "t");
					update_count++;
				}
			});
		while (update_count < 8)
			std::this_thread::yield();
		CHECK(bench->disable_account(account.id, "root"));
		const int count = update_count;
		while (update_count < count + 8) // whoever read before the disabling has written by now
			std::this_thread::yield();
		is_over = true;
		for (auto &thread : threads)
			thread.join();
		CHECK_FALSE(bench->account(account.id)->enabled);
	}
}

TEST_CASE("updates from several sides leave one of them whole")
{
	Bench bench;
	const auto account = bench.account();
	std::vector<std::thread> threads;
	std::atomic<int> failures = 0;
	for (int i = 0; i < 8; i++)
		threads.emplace_back([&, i] {
			const std::string text = std::to_string(i);
			for (int k = 0; k < 10; k++)
				failures += bench->update_account(account.id, {text, text, Role::admin}, "t")
						    ? 0
						    : 1;
		});
	for (auto &thread : threads)
		thread.join();
	CHECK(failures == 0);
	const auto left = bench->account(account.id);
	CHECK(left->name == left->description);
}

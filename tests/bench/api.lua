-- What wrk sends, from the environment: NW_METHOD, NW_TOKEN, and NW_BODY_FILE or NW_BODY_FORM.
--
-- NW_PATH and the body may hold %d, which counts up, so that no write repeats what stands; NW_PATH_FILE names a file
-- of paths that are taken in turn. Prints one line of JSON at the end; times in microseconds.
local method = os.getenv("NW_METHOD") or "GET"
local path = os.getenv("NW_PATH")
local headers = { ["Content-Type"] = "application/json" }
if os.getenv("NW_TOKEN") then
	headers["Authorization"] = "Bearer " .. os.getenv("NW_TOKEN")
end

local function whole(name)
	local file = assert(io.open(name))
	local text = file:read("*a")
	file:close()
	return text
end

local body = os.getenv("NW_BODY_FILE") and whole(os.getenv("NW_BODY_FILE")) or os.getenv("NW_BODY_FORM")
local paths = {}
if os.getenv("NW_PATH_FILE") then
	for line in io.lines(os.getenv("NW_PATH_FILE")) do
		paths[#paths + 1] = line
	end
end

local threads = 0
function setup(thread)
	thread:set("offset", threads * 1000000000)
	threads = threads + 1
end

local count = 0
function request()
	count = count + 1
	local target = #paths > 0 and paths[count % #paths + 1] or path
	return wrk.format(method, target, headers, body and body:gsub("%%d", offset + count, 1))
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format('{"requests":%d,"us":%d,"p50_us":%d,"p99_us":%d,"bad":%d}\n', summary.requests,
		summary.duration, latency:percentile(50), latency:percentile(99),
		errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end

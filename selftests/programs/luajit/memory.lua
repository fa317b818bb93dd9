-- SPDX-License-Identifier: GPL-2.0
-- Where memory is: "memory.lua regions|none low|any". It is the module's, or not; and
-- below 2 GiB, or anywhere. Large pieces are above the others.

local ffi = require("ffi")
local regions, low = arg[1] == "regions", arg[2] == "low"

local function address(of)
	return tonumber(ffi.cast("uintptr_t", ffi.cast("const char *", of)))
end

-- A line of /proc/self/maps for it
local function mapping(at)
	local found
	for line in io.lines("/proc/self/maps") do
		local from, to = line:match("^(%x+)-(%x+)")
		if tonumber(from, 16) <= at and at < tonumber(to, 16) then
			found = line
		end
	end
	return assert(found)
end

local function check(what, at)
	local line = mapping(at)
	local is_region = line:find("winregion", 1, true) ~= nil
	print(what, is_region)
	assert(is_region == regions, line)
	assert(not low or at < 2 ^ 31, line)
end

local small = {}
for i = 1, 1000 do
	small[i] = ("small %d"):format(i)
end
local large = ("large "):rep(1000000)
local made = ffi.new("char[?]", 3000000)

check("small", address(small[500]))
check("large", address(large))
check("made", address(made))
if regions then
	assert(address(large) > address(small[500]))
end

local sum = 0
for i = 1, 100000 do
	sum = sum + i % 7
end
local code, at = require("jit.util").tracemc(1)
assert(code and sum > 0)
check("code", at)

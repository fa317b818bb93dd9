-- SPDX-License-Identifier: GPL-2.0
-- What programs in Lua do, with a result for each: numbers, strings, tables, closures,
-- coroutines, structures of C. All of it in loops that become machine code.

local function nbody(steps)
	local bodies = {}
	for i = 1, 5 do
		bodies[i] = { x = i, y = i * i % 7, z = i % 3, vx = 0,
			      vy = i / 10, vz = 0, mass = 6 - i }
	end
	for _ = 1, steps do
		for i = 1, #bodies do
			local a = bodies[i]
			for j = i + 1, #bodies do
				local b = bodies[j]
				local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
				local d = dx * dx + dy * dy + dz * dz + 0.01
				local force = 0.001 / (d * math.sqrt(d))
				a.vx = a.vx - dx * b.mass * force
				a.vy = a.vy - dy * b.mass * force
				a.vz = a.vz - dz * b.mass * force
				b.vx = b.vx + dx * a.mass * force
				b.vy = b.vy + dy * a.mass * force
				b.vz = b.vz + dz * a.mass * force
			end
		end
		for i = 1, #bodies do
			local a = bodies[i]
			a.x = a.x + 0.001 * a.vx
			a.y = a.y + 0.001 * a.vy
			a.z = a.z + 0.001 * a.vz
		end
	end
	return ("%.12f %.12f"):format(bodies[1].x, bodies[5].z)
end

local function permutations(n)
	local p, count, sum = {}, 0, 0
	for i = 1, n do
		p[i] = i
	end
	local function permute(k)
		if k == 1 then
			count = count + 1
			sum = (sum * 31 + p[1] * 7 + p[n]) % 1000003
			return
		end
		for i = 1, k do
			permute(k - 1)
			local j = k % 2 == 0 and i or 1
			p[j], p[k] = p[k], p[j]
		end
	end
	permute(n)
	return count .. " " .. sum
end

local function mandelbrot(size)
	local inside, sum = 0, 0
	for y = 0, size - 1 do
		for x = 0, size - 1 do
			local cr, ci = 2 * x / size - 1.5, 2 * y / size - 1
			local zr, zi, n = 0, 0, 0
			while n < 50 and zr * zr + zi * zi < 4 do
				zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
				n = n + 1
			end
			inside = inside + (n == 50 and 1 or 0)
			sum = bit.bxor(bit.rol(sum, 1), n)
		end
	end
	return inside .. " " .. sum
end

local function trees(depth)
	local function tree(d)
		return d == 0 and {} or { tree(d - 1), tree(d - 1) }
	end
	local function count(t)
		return t[1] and 1 + count(t[1]) + count(t[2]) or 1
	end
	local kept, sum = tree(depth), 0
	for d = 4, depth, 2 do
		for _ = 1, 2 ^ (depth - d) do
			sum = sum + count(tree(d))
		end
	end
	return sum + count(kept)
end

local function sieve(n)
	local is, count = {}, 0
	for i = 2, n do
		is[i] = true
	end
	for i = 2, n do
		if is[i] then
			count = count + 1
			for j = i * i, n, i do
				is[j] = false
			end
		end
	end
	return count
end

local function strings(n)
	local words, sum = {}, 0
	for i = 1, n do
		words[i] = ("%d:%s"):format(i, ("ab"):rep(i % 5))
	end
	table.sort(words)
	local text = table.concat(words, ",")
	for word in text:gmatch("%d+:a") do
		sum = (sum + #word) % 65521
	end
	local changed, times = text:gsub("bab", "B")
	return #text .. " " .. #changed .. " " .. times .. " " .. sum
end

local function coroutines(n)
	local function numbers(from)
		return coroutine.wrap(function()
			for i = from, from + n do
				coroutine.yield(i)
			end
		end)
	end
	local sum, next_one = 0, {}
	for i = 1, 20 do
		next_one[i] = numbers(i)
	end
	for _ = 1, n do
		for i = 1, 20 do
			sum = sum + next_one[i]()
		end
	end
	return sum
end

-- Large pieces, each of which comes from the system and goes back there
local function structures(n)
	local ffi = require("ffi")
	ffi.cdef("struct point { double x, y; int32_t kind; };")
	local sum = 0
	for round = 1, 20 do
		local points = ffi.new("struct point[?]", n)
		for i = 0, n - 1 do
			points[i].x = i / 2
			points[i].kind = i % 3 + round
		end
		for i = 0, n - 1, 7 do
			sum = sum + points[i].x + points[i].y + points[i].kind
		end
		points = nil
		collectgarbage()
	end
	return sum
end

-- So many functions that code fills several areas
local function functions(n)
	local sum = 0
	for i = 1, n do
		local f = loadstring(("local s = 0 for j = 1, 100 do s = s + j %% %d * %d " ..
				      "end return s"):format(i % 17 + 1, i))
		sum = (sum + f()) % 1000003
	end
	return sum
end

print(jit.status())

-- How many pieces of machine code are made. Those that exist at the end tell it not:
-- when there are as many as may be, or no memory is near enough, all of them go.
local traces = 0
jit.attach(function(what)
	traces = traces + (what == "stop" and 1 or 0)
end, "trace")

print("nbody", nbody(30000))
print("permutations", permutations(8))
print("mandelbrot", mandelbrot(120))
print("trees", trees(12))
print("sieve", sieve(300000))
print("strings", strings(20000))
print("coroutines", coroutines(3000))
print("structures", structures(20000))
print("functions", functions(1000))

print(traces > 50)

-- wrk asks for every route in turn, in an order that jumps: neighbours in the
-- table of routes are no neighbours in time. Arguments: routes, routes of a host,
-- last part of the path.
local requests, n, at, step = {}, 0, 0, 7919

function init(args)
  n = tonumber(args[1])
  for i = 0, n - 1 do
    requests[i] = wrk.format("GET", "/r" .. i .. "/" .. args[3], { Host = "h" .. math.floor(i / tonumber(args[2])) .. ".example" })
  end
end

function request()
  at = (at + step) % n
  return requests[at]
end

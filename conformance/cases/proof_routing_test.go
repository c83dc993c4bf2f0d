package cases

var routingBugs = map[string][]string{
	"ROUTE-EXACT":             {"exact is prefix"},
	"ROUTE-PREFIX":            {"prefix by segment", "prefix without its slash"},
	"ROUTE-PREFIX-LONGEST":    {"priority first", "best match or nothing"},
	"ROUTE-EXACT-OVER-PREFIX": {"priority first", "best match or nothing"},
	"ROUTE-HOST":              {"ignores hosts", "host with port", "host with case", "first host only"},
	"ROUTE-HOST-WILDCARD":     {"one label", "wildcard covers the domain", "priority first"},
	"ROUTE-HOST-FALLTHROUGH":  {"host decides first"},
	"ROUTE-METHOD":            {"ignores methods", "head is get"},
	"ROUTE-NONE-404":          {"closes in silence", "502 without a route"},
	"ROUTE-NONE-AS-APISIX":    {"own 404", "has another name"},
}

package cases

var proxiedBugs = map[string][]string{
	"PROXIED-CLIENT":            {"believes no proxy", "remembers whom a proxy named", "takes the first address of several", "takes any text for an address", "knows no ports of clients", "tells targets of the proxy"},
	"PROXIED-CLIENT-SPOOFED":    {"takes anybody for a proxy", "takes who names a proxy for one", "believes clients"},
	"PROXIED-ROUTE":             {"routes by the proxy", "believes no proxy", "takes anybody for a proxy", "takes who names a proxy for one", "forgets the proxy", "ignores remote addresses"},
	"PROXIED-FORWARDED":         {"believes no proxy", "overwrites what proxies say", "adds nothing to what proxies say", "begins every chain anew", "replaces forwarded-for"},
	"PROXIED-FORWARDED-SPOOFED": {"takes anybody for a proxy", "takes who names a proxy for one", "hands chains of strangers on", "passes Forwarded", "believes the client's port"},
	"PROXIED-VARS":              {"conditions believe no proxy", "conditions believe clients", "takes anybody for a proxy"},
}

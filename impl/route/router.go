package route

import "fmt"

// Router is how hosts and paths of rules are understood. The zero Router is the
// default of APISIX.
type Router uint8

// The routers of APISIX.
const (
	// HostURI looks for the host first, then for the path.
	HostURI Router = iota
	// URI looks for the path alone; hosts are conditions as methods are, and an exact
	// one is worth no more than one with a star.
	URI
	// URIWithParameter is URI where a segment ":name" of a path stands for any one.
	URIWithParameter
)

var routers = [...]string{HostURI: "radixtree_host_uri", URI: "radixtree_uri", URIWithParameter: "radixtree_uri_with_parameter"}

// String is the name that APISIX has for the router.
func (r Router) String() string {
	if int(r) >= len(routers) {
		return fmt.Sprintf("router %d", r)
	}
	return routers[r]
}

// ParseRouter is the reverse of String.
func ParseRouter(name string) (Router, error) {
	for r, own := range routers {
		if name == own {
			return Router(r), nil
		}
	}
	return HostURI, fmt.Errorf("no router %q: want %s, %s or %s", name, routers[HostURI], routers[URI], routers[URIWithParameter])
}

package h2

// static are the names of the static table (RFC 7541, appendix A), from index 1 on.
var static = [...]string{":authority", ":method", ":method", ":path", ":path", ":scheme", ":scheme",
	":status", ":status", ":status", ":status", ":status", ":status", ":status", "accept-charset", "accept-encoding", "accept-language", "accept-ranges", "accept",
	"access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition", "content-encoding", "content-language", "content-length",
	"content-location", "content-range", "content-type", "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match",
	"if-range", "if-unmodified-since", "last-modified", "link", "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh",
	"retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via", "www-authenticate"}

// Indices of that table that are used by name.
const (
	index200           = 8 // and those of statuses up to index500
	indexStatus        = 8 // any other status takes the name from here
	indexContentLength = 28
	indexMethod        = 2
	indexGet           = 2
	indexPost          = 3
	indexPath          = 4
	indexHTTP          = 6
	indexHTTPS         = 7
)

// indexOf returns the index of the name of a field; 0: it has none. (Those that are
// written in another way are not here.)
func indexOf(name []byte) uint8 {
	switch string(name) {
	case ":authority":
		return 1
	case "accept-charset":
		return 15
	case "accept-encoding":
		return 16
	case "accept-language":
		return 17
	case "accept":
		return 19
	case "authorization":
		return 23
	case "cookie":
		return 32
	case "from":
		return 37
	case "if-match":
		return 39
	case "if-modified-since":
		return 40
	case "if-none-match":
		return 41
	case "if-range":
		return 42
	case "if-unmodified-since":
		return 43
	case "max-forwards":
		return 47
	case "proxy-authorization":
		return 49
	case "range":
		return 50
	case "referer":
		return 51
	case "user-agent":
		return 58
	case "accept-ranges":
		return 18
	case "access-control-allow-origin":
		return 20
	case "age":
		return 21
	case "allow":
		return 22
	case "cache-control":
		return 24
	case "content-disposition":
		return 25
	case "content-encoding":
		return 26
	case "content-language":
		return 27
	case "content-location":
		return 29
	case "content-range":
		return 30
	case "content-type":
		return 31
	case "date":
		return 33
	case "etag":
		return 34
	case "expires":
		return 36
	case "last-modified":
		return 44
	case "link":
		return 45
	case "location":
		return 46
	case "proxy-authenticate":
		return 48
	case "refresh":
		return 52
	case "retry-after":
		return 53
	case "server":
		return 54
	case "set-cookie":
		return 55
	case "strict-transport-security":
		return 56
	case "vary":
		return 59
	case "via":
		return 60
	case "www-authenticate":
		return 61
	}
	return 0
}

// remembered are the indices of fields whose values repeat from message to message: of
// answers, and, in the second line, of requests. No name of them is longer than 27
// bytes (see recent).
const remembered = 1<<18 | 1<<20 | 1<<22 | 1<<24 | 1<<26 | 1<<27 | 1<<31 | 1<<33 | 1<<54 | 1<<56 | 1<<59 | 1<<60 |
	1<<1 | 1<<16 | 1<<17 | 1<<19 | 1<<58

// secret are those whose values nobody on the way should remember (RFC 7541, 7.1.3).
const secret = 1<<23 | 1<<32 | 1<<49 | 1<<55

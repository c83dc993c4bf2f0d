package route

// methods is a set of request methods: one bit for each that is well known, and one that
// says that there are others, too, which only the rule itself tells.
type methods uint16

const (
	anyMethod    = ^methods(0)
	otherMethods = methods(1) << 15
)

func methodsOf(list []string) methods {
	if len(list) == 0 {
		return anyMethod
	}
	var m methods
	for _, name := range list {
		m |= methodBit(name)
	}
	return m
}

func methodBit(name string) methods {
	switch name {
	case "GET":
		return 1 << 0
	case "POST":
		return 1 << 1
	case "PUT":
		return 1 << 2
	case "DELETE":
		return 1 << 3
	case "PATCH":
		return 1 << 4
	case "HEAD":
		return 1 << 5
	case "OPTIONS":
		return 1 << 6
	case "CONNECT":
		return 1 << 7
	case "TRACE":
		return 1 << 8
	case "PURGE":
		return 1 << 9
	}
	return otherMethods
}

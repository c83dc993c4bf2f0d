package scenario

import (
	"time"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/topology"
)

// A File is one scenario.
type File struct {
	// Name of the scenario, and of the folder of its runs.
	Scenario string `yaml:"scenario" required:"true"`
	// What must be true, in one sentence with a number in it.
	About string `yaml:"about" required:"true"`
	// Topology of the library, or path of a file beside this one.
	Topology string `yaml:"topology" required:"true"`
	// Changes of single values of the topology, as for --set.
	Set []string `yaml:"set" max:"64"`
	// Everything random follows from it; that of the topology without it.
	Seed uint64 `yaml:"seed"`
	// Nodes chosen by the seed. "$name" stands for the node wherever a selector
	// may stand.
	Pick []Pick `yaml:"pick" max:"16"`
	// What is published before clients begin.
	Objects Objects `yaml:"objects"`
	// What clients send, from before the first step to after the last.
	Traffic []Load `yaml:"traffic" max:"16"`
	// What happens, one after the other.
	Steps []Step `yaml:"steps" required:"true" max:"200"`
	// What must hold in the recorded history.
	Checks []check.Any `yaml:"checks" required:"true" max:"32"`
}

// A Pick chooses one node.
type Pick struct {
	Name string            `yaml:",key"`
	Of   topology.Selector `yaml:",value" required:"true"`
}

// Objects are what tenants publish.
type Objects struct {
	// Sites: a load balancer, a listener on port 80, a rule for one host name and
	// a target group each.
	Services []Service `yaml:"services" max:"64"`
}

// A Service is one site.
type Service struct {
	Name string `yaml:",key"`
	// Name that clients ask for.
	Host string `yaml:"host" required:"true"`
	// VIP of the topology. A topology without lbc-api has none: clients then dial
	// the first gateway.
	VIP string `yaml:"vip"`
	// Network of the targets; the data centre's without it.
	VPC string `yaml:"vpc"`
	// Nodes that serve it.
	Targets topology.Selector `yaml:"targets" required:"true"`
	// How targets are probed; not at all without it.
	Health *Health `yaml:"health"`
	// Published by a step, not at the beginning.
	Later bool `yaml:"later"`
}

// Health says how targets are probed. Times are whole seconds.
type Health struct {
	// Path that answers 200 when the target is well; without it a connection will do.
	Path     string        `yaml:"path"`
	Interval time.Duration `yaml:"interval" min:"1s" max:"1h" default:"1s"`
	Timeout  time.Duration `yaml:"timeout" min:"1s" max:"1h" default:"1s"`
	// Probes in a row that change the state.
	Rise int `yaml:"rise" min:"1" max:"254" default:"2"`
	Fall int `yaml:"fall" min:"1" max:"254" default:"2"`
}

// A Load is one stream of requests.
type Load struct {
	Name string `yaml:",key"`
	// Service that is asked.
	To string `yaml:"to" required:"true"`
	// Clients that ask in turn.
	From topology.Selector `yaml:"from" default:"client/*"`
	// Requests a second over all clients, however long answers take. Either rate
	// or workers.
	Rate float64 `yaml:"rate" min:"0" max:"100000"`
	// Clients that each have one request under way.
	Workers int `yaml:"workers" min:"0" max:"4096"`
	// Connections to keep alive; a fresh one for each request without it.
	Keepalive int `yaml:"keepalive" min:"0" max:"4096"`
	// Backends take about that long for each answer.
	Slow time.Duration `yaml:"slow" min:"0s" max:"10m"`
	// Longest that one request may take.
	Timeout time.Duration `yaml:"timeout" min:"1ms" max:"10m" default:"10s"`
	// What is sent; without it three GET to one POST.
	Mix []Request `yaml:"mix" max:"64"`
	// Begun by a step, not at the beginning.
	Later bool `yaml:"later"`
}

// A Request is one of those that a load mixes.
type Request struct {
	Weight int    `yaml:"weight" min:"1" max:"1000000" default:"1"`
	Method string `yaml:"method" default:"GET"`
	Path   string `yaml:"path" default:"/"`
	// Bytes of body that are sent.
	Body int `yaml:"body" min:"0" max:"67108864"`
	// Bytes of body that the backend answers with; a description of the request
	// without it.
	Answer int `yaml:"answer" min:"0" max:"67108864"`
	// Header lines.
	Header map[string]string `yaml:"header" max:"32"`
}

package traffic

import (
	"fmt"
	"net/netip"
	"time"
)

// MaxInFlight is the most requests of one stream under way at once. When it is
// reached, further requests are sent late, which their intended times show.
const MaxInFlight = 4096

// A Load describes a stream of requests. Exactly one of Rate and Workers is set.
type Load struct {
	Name    string         // of the stream in the history
	To      netip.AddrPort // where clients connect
	Rate    float64        // open loop: requests a second over all clients, whatever the answers take
	Pace    Pace           // open loop: how requests follow each other
	Workers int            // closed loop: so many clients, each with one request at a time
	Mix     []Weighted     // what is sent; GET / when empty
	Conns   ConnPolicy     // over all clients
	Slow    time.Duration  // ask backends to take about that long (a fifth more or less)
	Timeout time.Duration  // of one request; DefaultTimeout when 0
	Seed    uint64         // of all that is left to chance; with Name it fixes what is sent (see Shot)
	Headers bool           // record header lines
	// NoFinalProbe leaves out the request by which Stop makes sure that the
	// path still works. Set it only when the path is meant to be broken.
	NoFinalProbe bool
}

// Weighted is a request with its share among the others.
type Weighted struct {
	Weight int // 0 counts as 1
	Request
}

// An Option changes a Load.
type Option func(*Load)

// New describes a load of 100 requests a second, each on a fresh connection,
// changed by the options.
func New(name string, to netip.AddrPort, opts ...Option) Load {
	l := Load{Name: name, To: to, Rate: 100}
	for _, o := range opts {
		o(&l)
	}
	return l
}

// PerSecond sends n requests a second, however long answers take.
func PerSecond(n float64) Option { return func(l *Load) { l.Rate, l.Workers = n, 0 } }

// Paced says how the requests of an open loop follow each other.
func Paced(p Pace) Option { return func(l *Load) { l.Pace = p } }

// Closed keeps n requests under way.
func Closed(n int) Option { return func(l *Load) { l.Rate, l.Workers = 0, n } }

// Keepalive shares n connections, over all clients.
func Keepalive(n int) Option { return func(l *Load) { l.Conns.Keep = n } }

// FreshConnections makes a connection for each request.
func FreshConnections() Option { return func(l *Load) { l.Conns.Keep = 0 } }

// TakingAbout asks backends to take d for each answer, a fifth more or less.
func TakingAbout(d time.Duration) Option { return func(l *Load) { l.Slow = d } }

// Sending mixes the requests.
func Sending(ws ...Weighted) Option { return func(l *Load) { l.Mix = append(l.Mix, ws...) } }

// ToHost sends GET / with that Host, besides what else the mix holds.
func ToHost(host string) Option {
	return Sending(Weighted{Request: Request{Host: host}})
}

func (l Load) check(clients []Client) error {
	switch {
	case (l.Rate > 0) == (l.Workers > 0):
		return fmt.Errorf("load %q: want either a rate or workers, got %v and %d", l.Name, l.Rate, l.Workers)
	case l.Pace != Constant && (l.Pace != Poisson || l.Workers > 0):
		return fmt.Errorf("load %q: pace %q: want none (constant) or %q, for a load with a rate", l.Name, l.Pace, Poisson)
	case l.Rate > 100_000 || l.Workers > MaxInFlight:
		return fmt.Errorf("load %q: rate %v or workers %d beyond the limits (100000 a second, %d)", l.Name, l.Rate, l.Workers, MaxInFlight)
	case !l.To.IsValid():
		return fmt.Errorf("load %q: no address to send to", l.Name)
	case len(clients) == 0:
		return fmt.Errorf("load %q: no clients", l.Name)
	}
	for _, w := range l.Mix {
		if w.Weight < 0 {
			return fmt.Errorf("load %q: negative weight %d", l.Name, w.Weight)
		}
	}
	return nil
}

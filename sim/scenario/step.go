package scenario

import (
	"time"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
)

// A Step is one line of the chronology: at most one act or wait, and when.
type Step struct {
	// What an observer would write down.
	Say string `yaml:"say"`
	// Not before this time since the traffic began.
	At time.Duration `yaml:"at" min:"0s" max:"30m"`
	// Not before this time since the step before ended.
	After time.Duration `yaml:"after" min:"0s" max:"30m"`
	// How long it may take.
	Within time.Duration `yaml:"within" min:"10ms" max:"30m" default:"15s"`
	// Name of what the step begins: a fault, a series of edits, the time until a
	// change was accepted, or the time that a wait measured.
	As string `yaml:"as"`

	Inject    *Fault     `yaml:"inject"`     // break something
	Heal      *string    `yaml:"heal"`       // mend it, by its name; "all"
	Wait      *Wait      `yaml:"wait"`       // until something is true
	Publish   *string    `yaml:"publish"`    // a service that was left for later
	Retarget  *Retarget  `yaml:"retarget"`   // give a service other targets
	Edit      *Edit      `yaml:"edit"`       // change targets many times, each in force before the next
	Edits     *Edits     `yaml:"edits"`      // change targets again and again while the steps go on
	StopEdits *string    `yaml:"stop-edits"` // end a series, and wait until its last edit is in force
	Rule      *Rule      `yaml:"rule"`       // add a rule to a service
	DropRule  *DropRule  `yaml:"drop-rule"`  // take it away
	Misdirect *Misdirect `yaml:"misdirect"`  // a target group with a wrong port
	Start     *string    `yaml:"start"`      // a load that was left for later
	Stop      *string    `yaml:"stop"`       // a load, before the end
	Exec      *Exec      `yaml:"exec"`       // run a command in a node
	Havoc     *Havoc     `yaml:"havoc"`      // random edits and random faults of what gateways are configured by
	Admins    *Admins    `yaml:"admins"`     // many administrators edit at once by the Admin API; a series when it has a name
}

// A Fault is any fault of the catalogue.
type Fault struct {
	kind  string
	value any // pointer to the fault's struct
}

// Variants implements strict.Union.
func (*Fault) Variants() []string {
	var names []string
	for _, k := range fault.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// Variant implements strict.Union.
func (f *Fault) Variant(name string) any {
	k, err := fault.KindOf(name)
	if err != nil {
		return nil // strict asks only for names that Variants has
	}
	f.kind, f.value = name, k.New()
	return f.value
}

// Fault is the fault that was written.
func (f *Fault) Fault() fault.Fault { return fault.Of(f.value) }

// A Wait is one condition.
type Wait struct {
	Steady       *Steady
	Recovers     *Recovers
	Carried      *Carried
	Serves       *Named
	TakesTraffic *TakesTraffic
	InForce      *Named
	Agree        *Agree
}

// Steady is true when nothing of a load has failed for that long.
type Steady struct {
	Load string        `yaml:"load" required:"true"`
	For  time.Duration `yaml:"for" min:"100ms" max:"10m" default:"2s"`
}

// Recovers is true when a load is steady for a second after a fault began. The
// time from the fault to that second gets the step's name.
type Recovers struct {
	Load string `yaml:"load" required:"true"`
	From string `yaml:"from" required:"true"` // name of the fault
}

// Carried is true when that many requests of a load have ended.
type Carried struct {
	Load     string `yaml:"load" required:"true"`
	Requests int    `yaml:"requests" required:"true" min:"1" max:"10000000"`
}

// Named waits for a service: that every client is answered, or that its last
// change is in force everywhere.
type Named struct {
	Service string `yaml:"service" required:"true"`
}

// TakesTraffic is true when a request has gone through each of the gateways.
type TakesTraffic struct {
	Service string            `yaml:"service" required:"true"`
	Through topology.Selector `yaml:"through" required:"true"`
}

// waits are the words of Wait, in the order of the documentation.
var waits = []string{"steady", "recovers", "carried", "serves", "takes-traffic", "in-force", "agree"}

// Variants implements strict.Union.
func (*Wait) Variants() []string { return waits }

// Variant implements strict.Union.
func (w *Wait) Variant(name string) any {
	switch name {
	case "steady":
		w.Steady = &Steady{}
		return w.Steady
	case "recovers":
		w.Recovers = &Recovers{}
		return w.Recovers
	case "carried":
		w.Carried = &Carried{}
		return w.Carried
	case "serves":
		w.Serves = &Named{}
		return w.Serves
	case "takes-traffic":
		w.TakesTraffic = &TakesTraffic{}
		return w.TakesTraffic
	case "in-force":
		w.InForce = &Named{}
		return w.InForce
	case "agree":
		w.Agree = &Agree{}
		return w.Agree
	default:
		return nil
	}
}

// Agree is true when the gateways have in force what the store of their region holds,
// by what they say of themselves and by what they answer. Nobody may edit meanwhile.
type Agree struct {
	Gateways topology.Selector `yaml:"gateways" required:"true"`
}

// Retarget gives a service other targets.
type Retarget struct {
	Service string              `yaml:"service" required:"true"`
	To      []topology.Selector `yaml:"to" required:"true" max:"64"`
	// Return only when that is in force on every node.
	Await bool `yaml:"await"`
}

// Edit gives a service the targets in turn, each when the one before is in force.
type Edit struct {
	Service string              `yaml:"service" required:"true"`
	Times   int                 `yaml:"times" required:"true" min:"1" max:"10000"`
	To      []topology.Selector `yaml:"to" required:"true" max:"64"`
}

// Edits does the same until it is stopped, without waiting.
type Edits struct {
	Service string              `yaml:"service" required:"true"`
	To      []topology.Selector `yaml:"to" required:"true" max:"64"`
	// Time between two edits.
	Every time.Duration `yaml:"every" min:"0s" max:"1m" default:"100ms"`
}

// A Rule sends a part of a service's requests to a target group.
type Rule struct {
	Service  string `yaml:"service" required:"true"`
	Name     string `yaml:"name" required:"true"`
	Path     string `yaml:"path" default:"/*"`
	Priority int    `yaml:"priority" min:"-1000" max:"1000"`
	// Target group; that of the service without it.
	Group string `yaml:"group"`
}

// DropRule takes a rule away.
type DropRule struct {
	Service string `yaml:"service" required:"true"`
	Name    string `yaml:"name" required:"true"`
}

// Misdirect makes a target group whose port nobody listens on.
type Misdirect struct {
	Service string            `yaml:"service" required:"true"`
	Group   string            `yaml:"group" required:"true"`
	Targets topology.Selector `yaml:"targets" required:"true"`
	Port    int               `yaml:"port" required:"true" min:"1" max:"65535"`
}

// Exec runs a command in a node.
type Exec struct {
	On topology.Ref `yaml:"on" required:"true"`
	// Program and arguments.
	Run []string `yaml:"run" required:"true" max:"64"`
	// Exit code that it must have.
	Code int `yaml:"code" min:"0" max:"255"`
}

// Havoc makes random edits by the Admin API and past it, some of them junk, while
// random faults happen to the store and to gateways. What is done follows from the seed.
// When it is over all gateways have what is good in force and name what is not; the junk
// is removed then.
type Havoc struct {
	// What every gateway serves whatever happens.
	Service string `yaml:"service" required:"true"`
	// What random routes send requests to.
	Targets topology.Selector `yaml:"targets" required:"true"`
	Edits   int               `yaml:"edits" min:"1" max:"10000" default:"500"`
	// Time between two edits.
	Every time.Duration `yaml:"every" min:"1ms" max:"1m" default:"20ms"`
}

// Admins are administrators who change routes through the Admin API, each with
// one call at a time.
type Admins struct {
	Region string        `yaml:"region"`
	Count  int           `yaml:"count" min:"1" max:"64" default:"4"`
	Keys   int           `yaml:"keys" min:"1" max:"1000" default:"5"`
	Calls  int           `yaml:"calls" min:"1" max:"1000" default:"50"`
	Every  time.Duration `yaml:"every" min:"0s" max:"1m" default:"10ms"`
}

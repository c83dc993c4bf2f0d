package meter

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Other is the route of requests that found no place. No id looks like it.
const Other = "(other)"

// DefaultMost is how many series there may be when nothing else was said. One has some
// seventy lines of exposition, and less than a kilobyte for each lane that met it.
const DefaultMost = 4096

// Meter holds the series.
type Meter struct {
	lanes int
	most  int
	none  *Series // no route matched
	other *Series

	mu      sync.Mutex
	series  map[Key]*Series
	retired uint64 // requests of series that were dropped

	folded atomic.Uint64 // series that were asked for and not made
}

// New returns a meter for that many lanes, with at most so many series; 0:
// DefaultMost.
func New(lanes, most int) *Meter {
	if most == 0 {
		most = DefaultMost
	}
	lanes = max(1, lanes)
	return &Meter{lanes: lanes, most: most, series: map[Key]*Series{},
		none: newSeries(Key{}, Labels{}, lanes), other: newSeries(Key{Route: Other}, Labels{}, lanes)}
}

// None is the series of requests that no route matched.
func (m *Meter) None() *Series { return m.none }

// Series returns the series of a key, and makes it, unless there are too many: then
// it is the one of Other. Labels that have changed begin a new series.
func (m *Meter) Series(k Key, l Labels) *Series {
	k, l = valid(k, l)
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.series[k]
	if ok && s.Labels == l {
		return s
	}
	if !ok && len(m.series) >= m.most {
		m.folded.Add(1)
		return m.other
	}
	if ok {
		m.drop(s)
	}
	s = newSeries(k, l, m.lanes)
	m.series[k] = s
	return s
}

// Find returns the series of a key if there is one, else that of Other.
func (m *Meter) Find(k Key) *Series {
	k, _ = valid(k, Labels{})
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.series[k]; ok {
		return s
	}
	return m.other
}

// valid makes text of ids, which in etcd may be any bytes.
func valid(k Key, l Labels) (Key, Labels) {
	for _, s := range []*string{&k.Route, &k.Node, &l.Service, &l.URI, &l.Host} {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	return k, l
}

// Full tells that there is no room for another series.
func (m *Meter) Full() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.series) >= m.most
}

// Folded is how often a series was asked for that there was no room for.
func (m *Meter) Folded() uint64 { return m.folded.Load() }

// Keep drops every series that keep does not hold on to. What is counted for a
// dropped one from then on is lost.
func (m *Meter) Keep(keep func(Key, Labels) bool) {
	for _, s := range m.All() {
		if s == m.none || s == m.other || keep(s.Key, s.Labels) {
			continue
		}
		m.mu.Lock()
		if m.series[s.Key] == s {
			m.drop(s)
		}
		m.mu.Unlock()
	}
}

// drop forgets a series. m.mu is held.
func (m *Meter) drop(s *Series) {
	delete(m.series, s.Key)
	s.gone.Store(true)
	m.retired += s.requests()
}

// All returns every series that there is now, in no order.
func (m *Meter) All() []*Series {
	all, _ := m.all()
	return all
}

// all also returns how many requests dropped series had counted.
func (m *Meter) all() (list []*Series, retired uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list = make([]*Series, 0, len(m.series)+2)
	list = append(list, m.none, m.other)
	for _, s := range m.series {
		list = append(list, s)
	}
	return list, m.retired
}

// Requests is how many requests were counted since the start, those of dropped series
// included.
func (m *Meter) Requests() uint64 {
	list, n := m.all()
	for _, s := range list {
		n += s.requests()
	}
	return n
}

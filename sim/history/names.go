package history

import "strconv"

// Reserve gives something of this run a name that nothing else of the run has, and
// a number, from 1 in the order of the calls. The name is the wanted one, or the
// wanted one with ".2", ".3" and so on. Two runs that reserve the same in the same
// order get the same.
func (r *Recorder) Reserve(want string) (name string, number uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names = map[string]int{}
	}
	r.reserved++
	name = want
	for r.names[name] > 0 {
		r.names[want]++
		name = want + "." + strconv.Itoa(r.names[want])
	}
	r.names[name]++
	return name, r.reserved
}

package fault

// A Surveyor is a fault that can say whether a lab has anything that it could be
// done to. The error is *Unavailable.
type Surveyor interface{ Survey(Target) error }

// Lacking says why a kind of fault is impossible in a lab, whatever its target;
// "" when nothing speaks against it.
func Lacking(k Kind, t Target) string {
	s, ok := Of(k.New()).(Surveyor)
	if !ok {
		return ""
	}
	if err := s.Survey(t); err != nil {
		return err.Error()
	}
	return ""
}

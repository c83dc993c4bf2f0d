package fault

import "fmt"

// maxKeep bounds what exhaustion may leave: more is no exhaustion.
const maxKeep = 256

func checkKeep(keep int) error {
	if keep < 0 || keep > maxKeep {
		return fmt.Errorf("keep %d is not between 0 and %d", keep, maxKeep)
	}
	return nil
}

// kept says how much is left, when something is.
func kept(keep int) string {
	if keep == 0 {
		return ""
	}
	return fmt.Sprintf(" but for %d", keep)
}

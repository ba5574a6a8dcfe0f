// Priorities of Falco's rules, from the most urgent on.

package sidekick

import "strings"

var priorities = []string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}

// priorityIndex is the place of a priority among them; -1 for what is none.
func priorityIndex(name string) int {
	if strings.EqualFold(name, "info") {
		name = "Informational"
	}
	for i, p := range priorities {
		if strings.EqualFold(p, name) {
			return i
		}
	}
	return -1
}

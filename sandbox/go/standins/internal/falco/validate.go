// `falco -V`: verdicts on rules files in Falco's text or JSON shape.

package falco

import (
	"fmt"
	"io"
	"os"
	"strings"

	"falconet.local/sandbox/standins/internal/common"
	"falconet.local/sandbox/standins/internal/rules"
)

var codeNames = map[string]string{
	"LOAD_ERR_YAML_PARSE": "Error when parsing rules content", "LOAD_ERR_YAML_VALIDATE": "Error when validating rules content",
	"LOAD_ERR_COMPILE_CONDITION": "Error compiling Condition", "LOAD_ERR_COMPILE_OUTPUT": "Error compiling Output",
	"LOAD_UNKNOWN_SOURCE": "Unknown event source", "LOAD_UNUSED_MACRO": "Unused macro", "LOAD_UNKNOWN_KEY": "Unknown key", "LOAD_UNKNOWN_ITEM": "Unknown rules file item",
}

func validate(files []string, asJSON bool, out, errOut io.Writer) int {
	fmt.Fprintln(errOut, common.Notice)
	fmt.Fprintln(errOut, "Validating rules file(s):")
	for _, f := range files {
		fmt.Fprintln(errOut, "   "+f)
	}
	set, results, good := rules.New(), []any{}, true
	summary := []string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			fmt.Fprintf(errOut, "Error: could not open file %s for reading\n", f)
			return 1
		}
		r := set.Load(f, string(text))
		good = good && len(r.Errors) == 0
		results = append(results, describe(r))
		summary = append(summary, verdict(r))
	}
	if asJSON {
		_ = common.Line(out, map[string]any{"falco_load_results": results})
	} else {
		fmt.Fprintln(out, strings.Join(summary, "\n"))
	}
	if !good {
		fmt.Fprintln(errOut, "Error: "+strings.Join(summary, "\n"))
		return 1
	}
	return 0
}

func findings(list []rules.Finding) []any {
	out := []any{}
	for _, f := range list {
		out = append(out, map[string]any{"code": f.Code, "codedesc": codeNames[f.Code], "message": f.Message, "context": map[string]any{
			"snippet": f.Snippet,
			"locations": []any{map[string]any{"item_type": f.ItemType, "item_name": f.ItemName, "position": map[string]any{
				"name": f.File, "line": max(f.Line-1, 0), "column": max(f.Column-1, 0), "offset": f.Offset}}},
		}})
	}
	return out
}

func describe(r rules.Result) map[string]any {
	return map[string]any{"name": r.File, "successful": len(r.Errors) == 0, "errors": findings(r.Errors), "warnings": findings(r.Warnings),
		"schema_valid": len(r.Errors) == 0, "schema_warnings": []any{}}
}

func verdict(r rules.Result) string {
	if len(r.Errors) == 0 {
		if len(r.Warnings) > 0 {
			return r.File + ": Ok, with warnings"
		}
		return r.File + ": Ok"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: Invalid\n%d Errors:\n", r.File, len(r.Errors))
	for _, f := range r.Errors {
		fmt.Fprintf(&b, "In %s '%s': (%s:%d:%d)\n------\n%s------\n%s (%s): %s\n", f.ItemType, f.ItemName, f.File, f.Line, f.Column, f.Snippet, f.Code, codeNames[f.Code], f.Message)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

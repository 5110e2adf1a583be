package gansim

import "strings"

// PaperNames maps each layer's name to the spelling of the paper's scripts (layer_hook_utils.py,
// register_hook_by_module_names): a dotted path in which a module is written as its class and its
// name, and a container as its name alone, such as .layer2.Bottleneck3 for layer2.3. Second names of
// a layer are left out.
func PaperNames(layers []Layer) map[string]string {
	class := map[string]string{}
	for _, l := range layers {
		class[l.Name] = l.Class
	}
	names := map[string]string{}
	for _, l := range layers {
		if l.Class == "" && !contains(layers, l.Name) {
			continue
		}
		var b strings.Builder
		path := ""
		for _, part := range strings.Split(l.Name, ".") {
			path = strings.TrimPrefix(path+"."+part, ".")
			b.WriteString("." + class[path] + part)
		}
		names[l.Name] = b.String()
	}
	return names
}

// contains reports whether a layer is a container of others.
func contains(layers []Layer, name string) bool {
	for _, l := range layers {
		if strings.HasPrefix(l.Name, name+".") {
			return true
		}
	}
	return false
}

// FindLayer finds a layer by its name or by the paper's spelling of it.
func FindLayer(layers []Layer, name string) (Layer, bool) {
	var paper map[string]string
	if strings.HasPrefix(name, ".") {
		paper = PaperNames(layers)
	}
	for _, l := range layers {
		if l.Name == name || paper[l.Name] == name {
			return l, true
		}
	}
	return Layer{}, false
}

// recipeKey is what all spellings of a recipe have in common: lower case, no points, numbers last.
func recipeKey(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, ".", ""))
	word := strings.TrimLeft(name, "0123456789")
	return word + name[:len(name)-len(word)]
}

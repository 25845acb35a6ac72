// The shim over toml++: its document becomes two jansson objects, and nothing of C++ gets out.
#include "io/toml.h"

#include <cmath>
#include <cstdio>
#include <new>
#include <sstream>
#include <string>
#include <toml++/toml.h>

namespace {

class converter {
    json_t *lines;
    const char *name;
    char *why;

    json_t *refuse(const toml::node &node, const char *what) {
        (void)std::snprintf(why, WZP_TOML_WHY_MAX, "%s:%u:%u: %s", name, node.source().begin.line,
                            node.source().begin.column, what);
        return nullptr;
    }

    // Text that a TOML parser accepts may still be refused: JSON knows no zero byte in a key.
    json_t *own(json_t *value, const toml::node &node) {
        return value != nullptr ? value : refuse(node, "value cannot be represented");
    }

    template <typename T> json_t *as_text(const toml::node &node) {
        std::ostringstream text;
        text << node.as<T>()->get();
        return own(json_string(text.str().c_str()), node);
    }

    json_t *scalar(const toml::node &node) {
        switch (node.type()) {
        case toml::node_type::string: {
            const std::string &text = node.as_string()->get();
            return own(json_stringn(text.data(), text.size()), node);
        }
        case toml::node_type::integer:
            return own(json_integer(node.as_integer()->get()), node);
        case toml::node_type::floating_point: {
            const double value = node.as_floating_point()->get();
            return std::isfinite(value) ? own(json_real(value), node)
                                        : refuse(node, "expected a finite number");
        }
        case toml::node_type::boolean:
            return json_boolean(node.as_boolean()->get());
        case toml::node_type::date:
            return as_text<toml::date>(node);
        case toml::node_type::time:
            return as_text<toml::time>(node);
        case toml::node_type::date_time:
            return as_text<toml::date_time>(node);
        default:
            return refuse(node, "value of an unknown type");
        }
    }

    // NOLINTBEGIN(misc-no-recursion): the parser refuses deep nesting before
    json_t *table(const toml::table &table, const std::string &path) {
        json_t *object = json_object();
        for (const auto &[key, node] : table) {
            const std::string name_of_key(key.str());
            std::string below = path;
            below.append(path.empty() ? "" : ".").append(name_of_key);
            if (json_object_set_new(object, name_of_key.c_str(), convert(node, below)) != 0) {
                json_decref(object);
                return *why != '\0' ? nullptr : refuse(node, "key cannot be represented");
            }
        }
        return object;
    }

    json_t *array(const toml::array &array, const std::string &path) {
        json_t *list = json_array();
        for (size_t i = 0; i < array.size(); i++) {
            const std::string below = path + "[" + std::to_string(i) + "]";
            if (json_array_append_new(list, convert(array[i], below)) != 0) {
                json_decref(list);
                return *why != '\0' ? nullptr : refuse(array, "list cannot be represented");
            }
        }
        return list;
    }

    json_t *convert(const toml::node &node, const std::string &path) {
        json_object_set_new(lines, path.c_str(), json_integer(node.source().begin.line));
        if (node.is_table()) {
            return table(*node.as_table(), path);
        }
        return node.is_array() ? array(*node.as_array(), path) : scalar(node);
    }
    // NOLINTEND(misc-no-recursion)

  public:
    converter(json_t *by_path, const char *file, char *reason)
        : lines(by_path), name(file), why(reason) {
    }

    json_t *document(const toml::table &root) {
        return table(root, "");
    }
};

wzp_err parse(wzp_toml *out, std::string_view text, const char *name, char *why) {
    const toml::table document = toml::parse(text, std::string_view(name));
    json_t *lines = json_object();
    json_t *tree = converter(lines, name, why).document(document);
    if (tree == nullptr) {
        json_decref(lines);
        return WZP_ERR_PARSE;
    }
    *out = {tree, lines};
    return WZP_OK;
}

} // namespace

wzp_err wzp_toml_parse(wzp_toml *out, const char *text, size_t len, const char *name,
                       char why[WZP_TOML_WHY_MAX]) {
    why[0] = '\0';
    try {
        return parse(out, std::string_view(text, len), name, why);
    } catch (const toml::parse_error &error) {
        const auto at = error.source().begin;
        const std::string what(error.description());
        (void)std::snprintf(why, WZP_TOML_WHY_MAX, "%s:%u:%u: %s", name, at.line, at.column,
                            what.c_str());
        return WZP_ERR_PARSE;
    } catch (const std::bad_alloc &) {
        (void)std::snprintf(why, WZP_TOML_WHY_MAX, "%s: out of memory", name);
        return WZP_ERR_NOMEM;
    } catch (const std::exception &error) {
        (void)std::snprintf(why, WZP_TOML_WHY_MAX, "%s: %s", name, error.what());
        return WZP_ERR_PARSE;
    }
}

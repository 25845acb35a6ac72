/* Compiles filters: a recursive descent of bounded depth over words and signs. */
#include "tools/pcap/tree/filter.h"

#include <stdlib.h>

#include "tools/pcap/tree/filter_internal.h"

typedef enum token_kind { END, WORD, STRING, SIGN, BAD } token_kind;

typedef struct token {
    token_kind kind;
    wzp_bytes text; /* STRING: between the quotes */
} token;

typedef struct parser {
    wzp_pcap_filter *filter;
    wzp_bytes text;
    size_t at;
    token now;
    unsigned depth;
    wzp_err err;
    wzp_pcap_filter_error *error;
} parser;

#define NONE UINT16_MAX

/* --- tokens ----------------------------------------------------------------------------------- */

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_sign(uint8_t c) {
    return c != 0 && strchr("()!=<>&|{},\"", c) != NULL;
}

static token take_string(parser *p) {
    const size_t begin = ++p->at;
    while (p->at < p->text.len && p->text.data[p->at] != '"') {
        p->at += p->text.data[p->at] == '\\' && p->at + 1 < p->text.len ? 2 : 1;
    }
    const bool closed = p->at < p->text.len;
    const token t = {closed ? STRING : BAD, wzp_bytes_of(p->text.data + begin, p->at - begin)};
    p->at += closed;
    return t;
}

static token take_sign(parser *p) {
    static const char *const doubles[] = {"==", "!=", "<=", ">=", "&&", "||"};
    const uint8_t *begin = p->text.data + p->at;
    size_t len = 1;
    for (size_t i = 0; i < WZP_COUNT_OF(doubles) && p->text.len - p->at >= 2; i++) {
        if (memcmp(begin, doubles[i], 2) == 0) {
            len = 2;
        }
    }
    p->at += len;
    return (token){SIGN, wzp_bytes_of(begin, len)};
}

static void advance(parser *p) {
    while (p->at < p->text.len && is_space(p->text.data[p->at])) {
        p->at++;
    }
    if (p->at == p->text.len) {
        p->now = (token){END, wzp_bytes_of(p->text.data + p->at, 0)};
    } else if (p->text.data[p->at] == '"') {
        p->now = take_string(p);
    } else if (is_sign(p->text.data[p->at])) {
        p->now = take_sign(p);
    } else {
        const size_t begin = p->at;
        while (p->at < p->text.len && !is_space(p->text.data[p->at]) &&
               !is_sign(p->text.data[p->at])) {
            p->at++;
        }
        p->now = (token){WORD, wzp_bytes_of(p->text.data + begin, p->at - begin)};
    }
}

static uint16_t fail(parser *p, wzp_err err, const char *text) {
    if (p->err == WZP_OK) {
        p->err = err;
        *p->error = (wzp_pcap_filter_error){text, (size_t)(p->now.text.data - p->text.data) + 1,
                                            p->now.text.len};
    }
    return NONE;
}

static bool is(const parser *p, const char *sign, const char *word) {
    return (p->now.kind == SIGN && wzp_bytes_equal(p->now.text, wzp_bytes_str(sign))) ||
           (p->now.kind == WORD && word != NULL &&
            wzp_bytes_equal(p->now.text, wzp_bytes_str(word)));
}

/* Whether the next token is that one, which is then taken. */
static bool accept(parser *p, const char *sign, const char *word) {
    if (p->err == WZP_OK && is(p, sign, word)) {
        advance(p);
        return true;
    }
    return false;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static uint16_t add_node(parser *p, const wzp_pcap_filter_node *node) {
    wzp_pcap_filter *f = p->filter;
    if (p->err != WZP_OK) {
        return NONE;
    }
    if (f->node_count == WZP_PCAP_FILTER_NODES_MAX) {
        return fail(p, WZP_ERR_LIMIT, "the filter has too many parts");
    }
    f->nodes[f->node_count] = *node;
    return (uint16_t)f->node_count++;
}

/* One value into the node. */
static void take_value(parser *p, wzp_pcap_filter_node *node) {
    wzp_pcap_filter *f = p->filter;
    if (p->now.kind == BAD) {
        (void)fail(p, WZP_ERR_PARSE, "this string has no end");
        return;
    }
    if (p->now.kind != WORD && p->now.kind != STRING) {
        (void)fail(p, WZP_ERR_PARSE, "a value is wanted here");
        return;
    }
    if (f->value_count == WZP_PCAP_FILTER_VALUES_MAX) {
        (void)fail(p, WZP_ERR_LIMIT, "the filter has too many values");
        return;
    }
    const char *wrong = wzp_pcap_filter_value_parse(
        f, node->field, p->now.text, p->now.kind == STRING, &f->values[f->value_count]);
    if (wrong != NULL) {
        (void)fail(p, WZP_ERR_PARSE, wrong);
        return;
    }
    f->value_count++;
    node->value_count++;
    advance(p);
}

static void take_set(parser *p, wzp_pcap_filter_node *node) {
    if (!accept(p, "{", NULL)) {
        (void)fail(p, WZP_ERR_PARSE, "a { is wanted here");
        return;
    }
    do {
        take_value(p, node);
        (void)accept(p, ",", NULL); /* blanks do as well */
    } while (p->err == WZP_OK && !is(p, "}", NULL));
    (void)accept(p, "}", NULL);
}

/* Which comparison comes now; PRESENT: none. */
static wzp_pcap_filter_op take_op(parser *p) {
    static const struct spelling {
        const char *sign, *word;
        wzp_pcap_filter_op op;
    } spellings[] = {{"==", "eq", WZP_PCAP_OP_EQ}, {"!=", "ne", WZP_PCAP_OP_NE},
                     {"<=", "le", WZP_PCAP_OP_LE}, {">=", "ge", WZP_PCAP_OP_GE},
                     {"<", "lt", WZP_PCAP_OP_LT},  {">", "gt", WZP_PCAP_OP_GT},
                     {"", "in", WZP_PCAP_OP_IN},   {"", "contains", WZP_PCAP_OP_CONTAINS}};
    for (size_t i = 0; i < WZP_COUNT_OF(spellings); i++) {
        if (is(p, spellings[i].sign, spellings[i].word)) {
            return spellings[i].op;
        }
    }
    return WZP_PCAP_OP_PRESENT;
}

static bool op_fits(wzp_pcap_filter_op op, wzp_pcap_type type) {
    const bool has_bytes = type == WZP_PCAP_TYPE_BYTES || type == WZP_PCAP_TYPE_TEXT;
    const bool has_order = type != WZP_PCAP_TYPE_BOOL && type != WZP_PCAP_TYPE_IP;
    if (type == WZP_PCAP_TYPE_HEAD) {
        return op == WZP_PCAP_OP_PRESENT;
    }
    if (op == WZP_PCAP_OP_CONTAINS) {
        return has_bytes;
    }
    return has_order || op < WZP_PCAP_OP_LT || op == WZP_PCAP_OP_IN;
}

static uint16_t parse_test(parser *p) {
    if (p->now.kind != WORD) {
        return fail(p, WZP_ERR_PARSE,
                    p->now.kind == END ? "the filter ends where a field is wanted"
                                       : "a field is wanted here");
    }
    const int field = wzp_pcap_field_by_name(p->now.text);
    if (field < 0) {
        return fail(p, WZP_ERR_PARSE, "there is no such field; --fields help lists them");
    }
    advance(p);
    wzp_pcap_filter_node node = {
        .op = take_op(p), .field = (uint16_t)field, .value = (uint16_t)p->filter->value_count};
    if (!op_fits(node.op, wzp_pcap_field_info_of((unsigned)field)->type)) {
        return fail(p, WZP_ERR_PARSE, "this comparison is not for this field");
    }
    if (node.op != WZP_PCAP_OP_PRESENT) {
        advance(p);
        if (node.op == WZP_PCAP_OP_IN) {
            take_set(p, &node);
        } else {
            take_value(p, &node);
        }
    }
    return add_node(p, &node);
}

/* --- expressions ------------------------------------------------------------------------------ */

/* NOLINTBEGIN(misc-no-recursion): bounded by WZP_PCAP_FILTER_DEPTH_MAX. */
static uint16_t parse_or(parser *p);

static uint16_t parse_not(parser *p) {
    uint16_t at;
    if (p->depth == WZP_PCAP_FILTER_DEPTH_MAX) {
        return fail(p, WZP_ERR_LIMIT, "too many parentheses or negations inside each other");
    }
    p->depth++;
    if (accept(p, "!", "not")) {
        const wzp_pcap_filter_node node = {.op = WZP_PCAP_OP_NOT, .left = parse_not(p)};
        at = add_node(p, &node);
    } else if (accept(p, "(", NULL)) {
        at = parse_or(p);
        if (!accept(p, ")", NULL)) {
            at = fail(p, WZP_ERR_PARSE, "a ) is wanted here");
        }
    } else {
        at = parse_test(p);
    }
    p->depth--;
    return at;
}

static uint16_t parse_and(parser *p) {
    uint16_t left = parse_not(p);
    while (accept(p, "&&", "and")) {
        const wzp_pcap_filter_node node = {
            .op = WZP_PCAP_OP_AND, .left = left, .right = parse_not(p)};
        left = add_node(p, &node);
    }
    return left;
}

static uint16_t parse_or(parser *p) {
    uint16_t left = parse_and(p);
    while (accept(p, "||", "or")) {
        const wzp_pcap_filter_node node = {
            .op = WZP_PCAP_OP_OR, .left = left, .right = parse_and(p)};
        left = add_node(p, &node);
    }
    return left;
}

/* NOLINTEND(misc-no-recursion) */

wzp_err wzp_pcap_filter_new(wzp_pcap_filter **out, wzp_bytes text, wzp_pcap_filter_error *error) {
    *error = (wzp_pcap_filter_error){"the filter is too long", 1, 0};
    if (text.len > WZP_PCAP_FILTER_TEXT_MAX) {
        return WZP_ERR_LIMIT;
    }
    wzp_pcap_filter *filter = calloc(1, sizeof *filter);
    if (filter == NULL) {
        return WZP_ERR_NOMEM;
    }
    parser p = {.filter = filter, .text = text, .error = error};
    advance(&p);
    filter->empty = p.now.kind == END;
    if (!filter->empty) {
        filter->root = parse_or(&p);
        if (p.err == WZP_OK && p.now.kind != END) {
            (void)fail(&p, WZP_ERR_PARSE, "'&&', '||' or the end is wanted here");
        }
    }
    if (p.err != WZP_OK) {
        free(filter);
        return p.err;
    }
    *out = filter;
    return WZP_OK;
}

void wzp_pcap_filter_free(wzp_pcap_filter **filter) {
    free(*filter);
    *filter = NULL;
}

/* Phase 1 of the solver. */
#include <assert.h>

#include "fec/solve_internal.h"

static bool is_active(const wzp_rq_solver *s, uint32_t col) {
    return s->place[col].state == WZP_RQ_ACTIVE;
}

static void unlink_row(wzp_rq_solver *s, uint32_t row) {
    const uint32_t next = s->next[row];
    const uint32_t prev = s->prev[row];
    if (prev == WZP_RQ_NONE) {
        s->heads[s->degree[row]] = next;
    } else {
        s->next[prev] = next;
    }
    if (next != WZP_RQ_NONE) {
        s->prev[next] = prev;
    }
}

/* Rows without an active column are in no list. */
static void link_row(wzp_rq_solver *s, uint32_t row) {
    const uint32_t degree = s->degree[row];
    if (degree != 0) {
        const uint32_t head = s->heads[degree];
        s->next[row] = head;
        s->prev[row] = WZP_RQ_NONE;
        s->heads[degree] = row;
        if (head != WZP_RQ_NONE) {
            s->prev[head] = row;
        }
    }
}

/* A row that was peeled keeps degree 0. */
static void leave(wzp_rq_solver *s, uint32_t col, wzp_rq_state state, uint32_t index) {
    s->place[col] = (wzp_rq_place){state, index};
    s->active--;
    for (uint32_t i = s->col_at[col]; i < s->col_at[col + 1]; i++) {
        const uint32_t row = s->col_rows[i];
        if (s->degree[row] != 0) {
            unlink_row(s, row);
            s->degree[row]--;
            link_row(s, row);
        }
    }
}

static bool set_aside(wzp_rq_solver *s, uint32_t col) {
    if (s->idle_count == s->cap_idle) {
        return false;
    }
    s->idle[s->idle_count] = col;
    leave(s, col, WZP_RQ_IDLE, s->idle_count++);
    return true;
}

/* The rows of each active column, counted first. */
static void index_columns(wzp_rq_solver *s) {
    const uint32_t w = s->params.w;
    const uint32_t n = s->row_at[s->row_count];
    memset(s->col_at, 0, (w + 1) * sizeof *s->col_at);
    for (uint32_t i = 0; i < n; i++) {
        if (s->cols[i] < w) {
            s->col_at[s->cols[i]]++;
        }
    }
    uint32_t end = 0;
    for (uint32_t col = 0; col < w; col++) {
        end += s->col_at[col];
        s->col_at[col] = end;
    }
    s->col_at[w] = end;
    for (uint32_t row = 0; row < s->row_count; row++) {
        for (uint32_t i = s->row_at[row]; i < s->row_at[row + 1]; i++) {
            if (s->cols[i] < w) {
                s->col_rows[--s->col_at[s->cols[i]]] = row;
            }
        }
    }
}

static void begin(wzp_rq_solver *s) {
    const wzp_rq_params *p = &s->params;
    index_columns(s);
    s->active = p->w;
    s->peeled_count = 0;
    s->idle_count = p->p;
    for (uint32_t col = 0; col < p->w; col++) {
        s->place[col] = (wzp_rq_place){WZP_RQ_ACTIVE, 0};
    }
    for (uint32_t i = 0; i < p->p; i++) {
        s->place[p->w + i] = (wzp_rq_place){WZP_RQ_IDLE, i};
        s->idle[i] = p->w + i;
    }
    for (size_t d = 0; d <= WZP_RQ_DEGREE_CAP; d++) {
        s->heads[d] = WZP_RQ_NONE;
    }
    for (uint32_t row = s->row_count; row-- > 0;) {
        uint32_t degree = 0;
        for (uint32_t i = s->row_at[row]; i < s->row_at[row + 1]; i++) {
            degree += s->cols[i] < p->w ? 1 : 0;
        }
        s->degree[row] = degree;
        link_row(s, row);
    }
}

static uint32_t group_of(wzp_rq_solver *s, uint32_t col) {
    while (s->group[col] != col) {
        s->group[col] = s->group[s->group[col]];
        col = s->group[col];
    }
    return col;
}

static wzp_rq_pair active_pair(const wzp_rq_solver *s, uint32_t row) {
    wzp_rq_pair pair = {WZP_RQ_NONE, WZP_RQ_NONE};
    uint32_t i = s->row_at[row];
    while (!is_active(s, s->cols[i])) {
        i++;
    }
    pair.a = s->cols[i++];
    while (!is_active(s, s->cols[i])) {
        i++;
    }
    pair.b = s->cols[i];
    return pair;
}

static void join(wzp_rq_solver *s, wzp_rq_pair pair) {
    const uint32_t a = group_of(s, pair.a);
    const uint32_t b = group_of(s, pair.b);
    if (a != b) {
        const bool a_is_larger = s->group_size[a] >= s->group_size[b];
        s->group[a_is_larger ? b : a] = a_is_larger ? a : b;
        s->group_size[a_is_larger ? a : b] += s->group_size[a_is_larger ? b : a];
    }
}

/* Rows with two active columns are the edges of a graph; one in its largest component lets all of
 * that component be peeled. */
static uint32_t row_of_largest_group(wzp_rq_solver *s) {
    uint32_t n = 0;
    for (uint32_t row = s->heads[2]; row != WZP_RQ_NONE; row = s->next[row]) {
        const wzp_rq_pair pair = active_pair(s, row);
        s->group[pair.a] = pair.a;
        s->group[pair.b] = pair.b;
        s->group_size[pair.a] = 1;
        s->group_size[pair.b] = 1;
        s->pairs[n++] = pair;
    }
    for (uint32_t i = 0; i < n; i++) {
        join(s, s->pairs[i]);
    }
    uint32_t best = s->heads[2];
    uint32_t best_size = 0;
    uint32_t i = 0;
    for (uint32_t row = s->heads[2]; row != WZP_RQ_NONE; row = s->next[row], i++) {
        const uint32_t size = s->group_size[group_of(s, s->pairs[i].a)];
        if (size > best_size) {
            best = row;
            best_size = size;
        }
    }
    return best;
}

static uint32_t shortest_row(const wzp_rq_solver *s, uint32_t degree) {
    uint32_t best = s->heads[degree];
    for (uint32_t row = best; row != WZP_RQ_NONE; row = s->next[row]) {
        if (s->row_at[row + 1] - s->row_at[row] < s->row_at[best + 1] - s->row_at[best]) {
            best = row;
        }
    }
    return best;
}

/* NONE when no row has an active column any more. */
static uint32_t choose_row(wzp_rq_solver *s) {
    uint32_t degree = 1;
    while (degree <= WZP_RQ_DEGREE_CAP && s->heads[degree] == WZP_RQ_NONE) {
        degree++;
    }
    if (degree > WZP_RQ_DEGREE_CAP) {
        return WZP_RQ_NONE;
    }
    if (degree == 1) {
        return s->heads[1];
    }
    return degree == 2 ? row_of_largest_group(s) : shortest_row(s, degree);
}

static uint32_t rows_of(const wzp_rq_solver *s, uint32_t col) {
    return s->col_at[col + 1] - s->col_at[col];
}

/* Of the row's active columns the one with the fewest rows is peeled, the others are set aside. */
static bool peel_row(wzp_rq_solver *s, uint32_t row) {
    uint32_t chosen = WZP_RQ_NONE;
    for (uint32_t i = s->row_at[row]; i < s->row_at[row + 1]; i++) {
        const uint32_t col = s->cols[i];
        if (is_active(s, col) && (chosen == WZP_RQ_NONE || rows_of(s, col) < rows_of(s, chosen))) {
            chosen = col;
        }
    }
    unlink_row(s, row);
    s->degree[row] = 0;
    for (uint32_t i = s->row_at[row]; i < s->row_at[row + 1]; i++) {
        const uint32_t col = s->cols[i];
        if (col != chosen && is_active(s, col) && !set_aside(s, col)) {
            return false;
        }
    }
    s->peeled[s->peeled_count] = (wzp_rq_peeled){row, chosen};
    leave(s, chosen, WZP_RQ_PEELED, s->peeled_count++);
    return true;
}

/* Rows that peeled nothing, in their order. */
static void gather_rest(wzp_rq_solver *s) {
    for (uint32_t row = 0; row < s->row_count; row++) {
        s->degree[row] = 0;
    }
    for (uint32_t k = 0; k < s->peeled_count; k++) {
        s->degree[s->peeled[k].row] = 1;
    }
    s->rest_count = 0;
    for (uint32_t row = 0; row < s->row_count; row++) {
        if (s->degree[row] == 0) {
            assert(s->rest_count < s->cap_rest);
            s->rest[s->rest_count++] = row;
        }
    }
}

bool wzp_rq_peel(wzp_rq_solver *s) {
    begin(s);
    for (uint32_t row = choose_row(s); row != WZP_RQ_NONE; row = choose_row(s)) {
        if (!peel_row(s, row)) {
            return false;
        }
    }
    for (uint32_t col = 0; s->active > 0; col++) {
        if (is_active(s, col) && !set_aside(s, col)) {
            return false;
        }
    }
    gather_rest(s);
    return true;
}

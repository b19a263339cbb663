/* Logs: whether they have changed, asked before and after each hook.
 *
 * Mostly they have not, and mostly they are a few plain numbers under keys that never change. So for each width (number
 * of keys) there are shapes: the keys that logs of this width had lately, the type of each value and the value. Objects
 * are compared by their identity, and so nobody's code is run. All else is for `log_inspector.py` to say.
 */

#include "native.h"

void
drop(Shape *shape)
{
    Py_ssize_t place;

    if (shape == NULL || --shape->holders > 0) {
        return;
    }
    for (place = 0; place < shape->width; place++) {
        Py_XDECREF(shape->entries[place].key);
        Py_XDECREF(shape->entries[place].value);
        Py_XDECREF((PyObject *)shape->entries[place].type);
    }
    PyMem_Free(shape);
}

void
begin_list(Probes *self)
{
    PyObject *before[] = {self->seen, self->described};

    self->seen = self->described = NULL;
    self->current = NULL;
    Py_XDECREF(before[0]);
    Py_XDECREF(before[1]);
}

int
is_seen(const Probes *self, PyObject *logs)
{
    const Shape *shape = self->current;
    const Entry *entry;
    PyObject *key, *value;
    Py_ssize_t position = 0;

    if (logs != self->seen || shape == NULL || PyDict_Size(logs) != shape->width) {
        return 0;
    }
    for (entry = shape->entries; PyDict_Next(logs, &position, &key, &value); entry++) {
        if (key != entry->key || value != entry->value) {
            return 0;
        }
    }
    return 1;
}

/* Read the number that a value is: 1, or 0 where it is not of the entry's kind. */
static int
as_number(const Entry *entry, PyObject *value, double *number)
{
    if (entry->kind == 'i' && PyLong_CheckExact(value)) {
        int64_t whole = as_integer(value);
        *number = (double)whole;
        return 0 <= whole && whole < (int64_t)WHOLE;
    }
    *number = PyFloat_AsDouble(value);
    if (*number == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    return entry->kind == 'n' || (*number >= 0 && *number < WHOLE);
}

/* Append a `state` record of the logs that a shape holds. A float is two operands, its low and its high half. */
static int
append_shape(Probes *self, const Shape *shape)
{
    int64_t numbers[2 + 2 * WIDEST];
    Py_ssize_t count = 0, place;

    numbers[count++] = self->state_head;
    numbers[count++] = shape->keys;
    for (place = 0; place < shape->width; place++) {
        const Entry *entry = &shape->entries[place];
        if (entry->kind == 'i') {
            numbers[count++] = (int64_t)entry->number;
        } else {
            uint64_t bits;
            memcpy(&bits, &entry->number, sizeof(bits));
            numbers[count++] = (int64_t)(bits & 0xFFFFFFFFu);
            numbers[count++] = (int64_t)(bits >> 32);
        }
    }
    return append(self, numbers, count);
}

/* Whether logs of plain numbers equal those that were recorded last, in any order of their keys; or -1. Python's own
 * comparison is not used: for some numbers of NumPy's it would make NumPy warn the program. */
static int
equals_last(const Probes *self, PyObject *logs)
{
    Shape *shape = self->current;
    Py_ssize_t place;
    int equals = 1;

    if (shape == NULL || PyDict_Size(logs) != shape->width) {
        return 0;
    }
    shape->holders++; /* reading a number may run the program's code, which may let go of the shape */
    for (place = 0; equals > 0 && place < shape->width; place++) {
        const Entry *entry = &shape->entries[place];
        PyObject *value = PyDict_GetItemWithError(logs, entry->key);
        if (value == NULL) {
            equals = PyErr_Occurred() ? -1 : 0;
        } else if (value != entry->value) {
            Py_INCREF(value);
            equals = PyFloat_AsDouble(value) == entry->number;
            Py_DECREF(value);
            PyErr_Clear();
        }
    }
    drop(shape);
    return equals;
}

/* Whether a shape is still one of those that logs are compared with. Code of the program's may have replaced it. */
static int
is_known(const Probes *self, const Shape *shape)
{
    Shape *const *known = self->shapes + shape->width * SHAPES;

    return shape == known[0] || shape == known[1];
}

/* Record logs of this shape where they have changed: 1, or 0 where they are of another shape, or -1. */
static int
take(Probes *self, Shape *shape, PyObject *logs)
{
    double numbers[WIDEST];
    PyObject *key, *value, *values[WIDEST];
    Py_ssize_t position = 0, width = 0, place;
    int has_changed = 0, equals = 0, taken;

    /* First take references to all new values, then read their numbers: reading may run code that changes the logs. */
    while (width < shape->width && PyDict_Next(logs, &position, &key, &value)) {
        const Entry *entry = &shape->entries[width];
        int is_same = value == entry->value;
        if (key != entry->key || (!is_same && Py_TYPE(value) != entry->type)) {
            break;
        }
        if (!is_same) {
            Py_INCREF(value);
        }
        values[width++] = is_same ? NULL : value;
    }
    shape->holders++;
    taken = width == shape->width;
    for (place = 0; taken && place < width; place++) {
        const Entry *entry = &shape->entries[place];
        numbers[place] = entry->number;
        taken = values[place] == NULL || as_number(entry, values[place], &numbers[place]);
        has_changed = has_changed || numbers[place] != entry->number;
    }
    if (taken && shape != self->current) {
        equals = equals_last(self, logs);
        has_changed = !equals;
    }
    taken = taken && is_known(self, shape);
    for (place = 0; place < width; place++) {
        if (taken && equals >= 0 && values[place] != NULL) {
            Entry *entry = &shape->entries[place];
            value = entry->value;
            entry->value = values[place];
            entry->number = numbers[place];
            values[place] = value;
        }
        Py_XDECREF(values[place]);
    }
    if (equals < 0) {
        taken = -1;
    } else if (taken) {
        self->current = shape;
        Py_CLEAR(self->described);
        taken = has_changed && append_shape(self, shape) < 0 ? -1 : 1;
    }
    drop(shape);
    return taken;
}

/* Make a shape for logs. It replaces a shape of the same width, but not the one that was recorded last. NULL where the
 * logs have none, or with an error.
 *
 * `keys`: the number of the keys in the trace.
 * `kinds`: the kind of each value, `i` for a whole number that is not negative and `n` for any other.
 */
static Shape *
adopt(Probes *self, PyObject *logs, int64_t keys, const char *kinds)
{
    Shape *shape, *before, **known;
    PyObject *key, *value;
    Py_ssize_t width = PyDict_Size(logs), position = 0, place;

    if (width <= 0 || width > WIDEST || (Py_ssize_t)strlen(kinds) != width) {
        return NULL;
    }
    shape = PyMem_Malloc(sizeof(Shape) + width * sizeof(Entry));
    if (shape == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    shape->holders = 1;
    shape->keys = keys;
    shape->width = 0;
    while (shape->width < width && PyDict_Next(logs, &position, &key, &value)) {
        Entry *entry = &shape->entries[shape->width];
        entry->kind = kinds[shape->width];
        entry->key = key;
        entry->value = value;
        entry->type = Py_TYPE(value);
        Py_INCREF(entry->key);
        Py_INCREF(entry->value);
        Py_INCREF((PyObject *)entry->type);
        shape->width++;
    }
    for (place = 0; place < width; place++) {
        Entry *entry = &shape->entries[place];
        /* Since the logs were found to be plain numbers, another thread may have put anything into them. No code of its
         * class shall run. */
        if (place >= shape->width || !PyUnicode_CheckExact(entry->key)
            || PyType_GetFlags(entry->type) & Py_TPFLAGS_HEAPTYPE || !as_number(entry, entry->value, &entry->number)) {
            drop(shape);
            return NULL;
        }
    }
    known = self->shapes + width * SHAPES;
    if (known[0] != NULL && (known[1] == NULL || known[0] == self->current)) {
        known++;
    }
    before = *known;
    *known = shape;
    if (self->current == before) {
        self->current = NULL;
    }
    drop(before);
    return shape;
}

/* Record logs that are not all plain numbers, where their description has changed. */
static int
describe(Probes *self, PyObject *logs)
{
    PyObject *operands, *before;
    int is_same = 0;

    operands = PyObject_CallMethod(self->inspector, "describe", "(O)", logs);
    if (operands == NULL) {
        return -1;
    }
    before = self->described;
    if (before != NULL) {
        Py_INCREF(before);
        is_same = PyObject_RichCompareBool(operands, before, Py_EQ);
        Py_DECREF(before);
    }
    if (is_same == 0) {
        before = self->described;
        Py_INCREF(operands);
        self->described = operands;
        self->current = NULL;
        Py_XDECREF(before);
        is_same = append_tuple(self, self->state_head, operands);
    }
    Py_DECREF(operands);
    return is_same < 0 ? -1 : 0;
}

int
look(Probes *self, PyObject *logs)
{
    PyObject *plain;
    const char *kinds;
    long long keys;
    Shape *shape;
    Py_ssize_t width, nth;
    int taken, equals;

    if (!PyDict_CheckExact(logs)) {
        return describe(self, logs);
    }
    width = PyDict_Size(logs);
    for (nth = 0; width <= WIDEST && nth < SHAPES; nth++) {
        shape = self->shapes[width * SHAPES + nth];
        taken = shape == NULL ? 0 : take(self, shape, logs);
        if (taken != 0) {
            return taken;
        }
    }
    if (width == 0 && self->current == NULL && self->described == NULL) {
        return 0;
    }
    plain = PyObject_CallMethod(self->inspector, "plain", "(O)", logs);
    if (plain == NULL) {
        return -1;
    }
    equals = plain == Py_None ? 0 : equals_last(self, logs);
    if (equals >= 0 && PyTuple_Check(plain) && PyArg_ParseTuple(plain, "Ls", &keys, &kinds)) {
        shape = adopt(self, logs, keys, kinds);
    } else {
        shape = NULL;
    }
    Py_DECREF(plain);
    if (shape == NULL) {
        return PyErr_Occurred() ? -1 : describe(self, logs);
    }
    self->current = shape;
    Py_CLEAR(self->described);
    return !equals && append_shape(self, shape) < 0 ? -1 : 1;
}

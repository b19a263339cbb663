/* The buffer: the numbers that one thread has recorded and that nobody has taken yet. */

#include "native.h"

/* An empty buffer gives its memory back where it has room for more numbers than this. */
#define MUCH_ROOM (1 << 20)

PyObject *array_type;
int instances_own_their_type;

PyObject *
none(void)
{
    Py_IncRef(Py_None);
    return Py_None;
}

void
release(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    if (instances_own_their_type) {
        Py_DECREF(type);
    }
}

int
extend(Buffer *self, const int64_t *numbers, Py_ssize_t count)
{
    if (self->length + count > self->room) {
        Py_ssize_t room = 2 * (self->length + count) + 1024;
        int64_t *larger = PyMem_Realloc(self->numbers, room * sizeof(int64_t));
        if (larger == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->numbers = larger;
        self->room = room;
    }
    memcpy(self->numbers + self->length, numbers, count * sizeof(int64_t));
    self->length += count;
    return 0;
}

int64_t
as_integer(PyObject *value)
{
    int overflow = 0;
    int64_t number;

    if (!PyLong_Check(value)) {
        return ABSENT;
    }
    number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow ? ABSENT : number;
}

static PyObject *
Buffer_append(Buffer *self, PyObject *value)
{
    int64_t number = as_integer(value);

    if (extend(self, &number, 1) < 0) {
        return NULL;
    }
    return none();
}

static PyObject *
Buffer_extend(Buffer *self, PyObject *values)
{
    PyObject *fast = PySequence_Tuple(values); /* before anything is appended: an iterator's own code may append too */
    Py_ssize_t before = self->length, place;

    if (fast == NULL) {
        return NULL;
    }
    for (place = 0; place < PyTuple_Size(fast); place++) {
        int64_t number = as_integer(PyTuple_GetItem(fast, place));
        if (extend(self, &number, 1) < 0) {
            self->length = before;
            Py_DECREF(fast);
            return NULL;
        }
    }
    Py_DECREF(fast);
    return none();
}

/* Drop the first `count` numbers. The memory that a burst of records took is given back. */
static void
discard(Buffer *self, Py_ssize_t count)
{
    self->length -= count;
    if (self->length == 0 && self->room > MUCH_ROOM) {
        PyMem_Free(self->numbers);
        self->numbers = NULL;
        self->room = 0;
    }
    if (self->length > 0) {
        memmove(self->numbers, self->numbers + count, self->length * sizeof(int64_t));
    }
}

static PyObject *
Buffer_discard(Buffer *self, PyObject *value)
{
    Py_ssize_t count = PyLong_AsSsize_t(value);

    if (count < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "%zd numbers to be discarded", count);
        }
        return NULL;
    }
    discard(self, count < self->length ? count : self->length);
    return none();
}

/* Put numbers that were taken back, before those recorded since. They are lost where there is no memory for them. */
static void
put_back(Buffer *self, PyObject *bytes)
{
    Py_ssize_t count = PyBytes_Size(bytes) / (Py_ssize_t)sizeof(int64_t), since = self->length;
    PyObject *kind, *error, *traceback;

    PyErr_Fetch(&kind, &error, &traceback);
    if (count > 0 && extend(self, (const int64_t *)PyBytes_AsString(bytes), count) == 0) {
        memmove(self->numbers + count, self->numbers, since * sizeof(int64_t));
        memcpy(self->numbers, PyBytes_AsString(bytes), count * sizeof(int64_t));
    }
    PyErr_Restore(kind, error, traceback);
}

static PyObject *
Buffer_take(Buffer *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *bytes = PyBytes_FromStringAndSize((char *)self->numbers, self->length * sizeof(int64_t)), *taken;

    if (bytes == NULL) {
        return NULL;
    }
    /* Empty the buffer before the array is made: making an object may run a finalizer, which records, or let another
     * thread run, which takes. */
    discard(self, self->length);
    taken = PyObject_CallFunction(array_type, "sO", "q", bytes);
    if (taken == NULL) {
        put_back(self, bytes);
    }
    Py_DECREF(bytes);
    return taken;
}

static PyObject *
Buffer_clear(Buffer *self, PyObject *Py_UNUSED(ignored))
{
    discard(self, self->length);
    return none();
}

static Py_ssize_t
Buffer_length(Buffer *self)
{
    return self->length;
}

static void
Buffer_dealloc(Buffer *self)
{
    PyMem_Free(self->numbers);
    release((PyObject *)self);
}

static PyMethodDef Buffer_methods[] = {
    METHOD(Buffer, append, METH_O),
    METHOD(Buffer, extend, METH_O),
    METHOD(Buffer, discard, METH_O),
    METHOD(Buffer, take, METH_NOARGS),
    METHOD(Buffer, clear, METH_NOARGS),
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Buffer_slots[] = {
    {Py_tp_doc, "What one thread has recorded, and nobody has taken yet."},
    {Py_tp_dealloc, (void *)Buffer_dealloc},
    {Py_tp_methods, Buffer_methods},
    {Py_sq_length, (void *)Buffer_length},
    {0, NULL},
};

PyType_Spec Buffer_spec = {
    "fittrace.capture._native.Buffer",
    sizeof(Buffer),
    0,
    Py_TPFLAGS_DEFAULT,
    Buffer_slots,
};

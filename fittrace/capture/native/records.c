/* Records: appended to the buffer, and handed to the observer. */

#include "native.h"

/* A record of at most so many numbers is put together on the stack. */
#define FEW 16

int
fault(Probes *self, const char *where)
{
    PyObject *kind, *error, *traceback, *done, *before = NULL;
    int tries;

    if (PyErr_Occurred() == NULL) {
        return 0;
    }
    /* The report may raise too: the next turn reports what it raised. */
    for (tries = 0; tries < TRIES; tries++) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) {
            Py_XDECREF(before);
            return -1;
        }
        PyErr_Fetch(&kind, &error, &traceback);
        PyErr_NormalizeException(&kind, &error, &traceback);
        if (error != NULL && error == before) {
            /* `fault` has raised what it was given: the exception is the program's. */
            Py_DECREF(before);
            PyErr_Restore(kind, error, traceback);
            return -1;
        }
        if (error != NULL && traceback != NULL) {
            PyException_SetTraceback(error, traceback);
        }
        done = PyObject_CallMethod(self->inspector, "fault", "sO", where, error == NULL ? Py_None : error);
        Py_XDECREF(before);
        before = error;
        Py_XDECREF(kind);
        Py_XDECREF(traceback);
        if (done != NULL) {
            Py_DECREF(done);
            Py_XDECREF(before);
            return 0;
        }
    }
    Py_XDECREF(before);
    PyErr_Clear();
    return 0;
}

/* Whether a record of this time passes the observer's batch filter. */
static int
passes(Probes *self, int64_t moment)
{
    struct {
        uint64_t shift, limit;
        int64_t due;
    } filter;

    if (PyByteArray_Size(self->batch_filter) != sizeof(filter)) {
        return 1;
    }
    memcpy(&filter, PyByteArray_AsString(self->batch_filter), sizeof(filter));
    return moment >= filter.due || ((uint64_t)moment + filter.shift) * FIBONACCI < filter.limit;
}

/* Let the observer have a record that it is interested in, with the number of frames that were only counted. */
static int
dispatch(Probes *self, const int64_t *numbers, Py_ssize_t count)
{
    int64_t site = ~numbers[0]; /* of a head */
    Py_ssize_t place;
    int interest = OBSERVED;
    long entered;
    PyObject *record, *done, *observe = self->observe;

    if (site >= 0 && site < PyByteArray_Size(self->interest)) {
        interest = PyByteArray_AsString(self->interest)[site];
    }
    if (interest == IGNORED) {
        return 0;
    }
    if (interest == ENTERS) {
        self->entered++;
        return 0;
    }
    if (interest == LEAVES && self->entered > 0) {
        /* The frame began and ended without a record of interest in it: the observer need not hear of it. */
        self->entered--;
        return 0;
    }
    if (interest == FILTERED && count > 1 && !passes(self, numbers[1])) {
        return 0;
    }
    record = PyTuple_New(count);
    for (place = 0; record != NULL && place < count; place++) {
        PyObject *number = PyLong_FromLongLong(numbers[place]);
        if (number == NULL || PyTuple_SetItem(record, place, number) < 0) {
            Py_CLEAR(record);
        }
    }
    if (record == NULL) {
        return -1;
    }
    /* The observer may run the program's code, which records too. So the count is taken before it is called. */
    entered = self->entered;
    self->entered = 0;
    Py_INCREF(observe);
    done = PyObject_CallFunction(observe, "Ol", record, entered);
    Py_DECREF(observe);
    Py_DECREF(record);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
append(Probes *self, const int64_t *numbers, Py_ssize_t count)
{
    if (extend(self->buffer, numbers, count) < 0) {
        return -1;
    }
    return self->observe == Py_None ? 0 : dispatch(self, numbers, count);
}

int
append_tuple(Probes *self, int64_t head, PyObject *operands)
{
    Py_ssize_t count = PyTuple_Size(operands), place;
    int64_t few[FEW], *numbers = few;
    int failed;

    if (count < 0) {
        return -1;
    }
    if (head >= 0 && count == 0) {
        PyErr_SetString(PyExc_ValueError, "a record without a head");
        return -1;
    }
    if (count + 1 > FEW) {
        numbers = PyMem_Malloc((count + 1) * sizeof(int64_t));
        if (numbers == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    numbers[0] = head;
    for (place = 0; place < count; place++) {
        numbers[place + 1] = as_integer(PyTuple_GetItem(operands, place));
    }
    failed = head < 0 ? append(self, numbers, count + 1) : append(self, numbers + 1, count);
    if (numbers != few) {
        PyMem_Free(numbers);
    }
    return failed;
}

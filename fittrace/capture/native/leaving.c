/* Leaving: what is recorded where an exception leaves a function of the engine, is caught in it or passes through it.
 *
 * In Python a signal handler could raise before the record is appended, and the frame would stay open in the trace. In
 * C no handler runs before that.
 */

#include "native.h"

/* The line of the running function in which the exception was raised, or to which it came from a call. */
static int64_t
raised_at(PyObject *traceback)
{
    PyObject *line;
    int64_t number;

    if (traceback == NULL || traceback == Py_None) {
        return ABSENT;
    }
    line = PyObject_GetAttrString(traceback, "tb_lineno");
    if (line == NULL) {
        PyErr_Clear();
        return ABSENT;
    }
    number = PyLong_CheckExact(line) ? as_integer(line) : ABSENT;
    Py_DECREF(line);
    return number > 0 ? number : ABSENT;
}

PyObject *
Probes_unwind(Probes *self, PyObject *head)
{
    PyObject *kind, *value, *traceback, *text, *interruption[3] = {NULL, NULL, NULL};
    int64_t numbers[4];
    int failed;

    numbers[0] = as_integer(head);
    numbers[1] = now(self);
    if (numbers[1] < 0) {
        return done(self, 1);
    }
    PyErr_GetExcInfo(&kind, &value, &traceback);
    forget(self);
    numbers[2] = ABSENT;
    numbers[3] = raised_at(traceback);
    text = PyObject_CallMethod(
        self->inspector, "error", "OO", value == NULL ? Py_None : value, traceback == NULL ? Py_None : traceback);
    if (text != NULL) {
        numbers[2] = as_integer(text);
    } else if (fault(self, "naming an exception") < 0) {
        PyErr_Fetch(&interruption[0], &interruption[1], &interruption[2]);
    }
    Py_XDECREF(text);
    Py_XDECREF(kind);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    failed = append(self, numbers, 4) < 0;
    if (interruption[0] != NULL) {
        PyErr_Clear();
        PyErr_Restore(interruption[0], interruption[1], interruption[2]);
        return NULL;
    }
    return done(self, failed);
}

/* Report that the root whose frame runs has ended: 0, or -1 with an exception of the program's. */
static int
end_root(Probes *self)
{
    PyObject *frame = PyLong_FromVoidPtr(PyEval_GetFrame()), *done;

    done = frame == NULL ? NULL : PyObject_CallMethod(self->inspector, "end_root", "O", frame);
    Py_XDECREF(frame);
    Py_XDECREF(done);
    return done != NULL ? 0 : fault(self, "giving the program its own code back");
}

PyObject *
Probes_unwind_root(Probes *self, PyObject *head)
{
    PyObject *unwound = Probes_unwind(self, head), *kind, *value, *traceback;
    int tries;

    PyErr_Fetch(&kind, &value, &traceback);
    /* Nothing else ends the root, so this tries again where a signal handler raises. The first exception goes on. */
    for (tries = 0; tries < TRIES && end_root(self) < 0; tries++) {
        if (kind == NULL) {
            PyErr_Fetch(&kind, &value, &traceback);
        }
        PyErr_Clear();
    }
    if (kind != NULL) {
        Py_XDECREF(unwound);
        PyErr_Restore(kind, value, traceback);
        return NULL;
    }
    return unwound;
}

/* Where a signal handler raises in `end_root`, nothing is recorded here: the guard around the frame then ends it. */
int
leave_root(Probes *self, int64_t head)
{
    return end_root(self) < 0 ? -1 : mark(self, head);
}

PyObject *
Probes_leave_root(Probes *self, PyObject *head)
{
    return done(self, leave_root(self, as_integer(head)) < 0);
}

PyObject *
Probes_raised(Probes *self, PyObject *head)
{
    PyObject *kind, *value, *traceback;
    int64_t numbers[2];
    int is_closed;

    PyErr_GetExcInfo(&kind, &value, &traceback);
    /* A generator that is closed is in no call: there is nothing to record. */
    is_closed = kind == PyExc_GeneratorExit;
    numbers[0] = as_integer(head);
    numbers[1] = raised_at(traceback);
    Py_XDECREF(kind);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return is_closed ? none() : done(self, append(self, numbers, 2) < 0);
}

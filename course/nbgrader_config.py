"""The learner's own nbgrader settings: what JupyterLab's Validate button needs to know."""

c = get_config()  # noqa: F821 - nbgrader puts it there when it reads this file

c.CourseDirectory.course_id = "corewise"
# Seconds a cell. The answer check starts processes under every start method, which can take longer than
# nbgrader's 30. Not much more: JupyterLab stands still while Validate waits for a cell that never ends.
c.Execute.timeout = 120

cd /tmp/w/nb02/out
for n in "$@"; do
nice -n 10 $PY -m nbconvert --to html --log-level ERROR "$n.ipynb" 2>/dev/null
nice -n 10 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1000,${H:-9000} --virtual-time-budget=4000 --screenshot="/tmp/w/nb02/out/$n.png" "file:///tmp/w/nb02/out/$n.html" >/dev/null 2>&1
ls -la $n.png
done

import sys
reload(sys)
sys.setdefaultencoding('utf8')
import cPickle
from keras.layers import Input, Dense, merge
from keras.models import Model as M
from keras.regularizers import l2, activity_l2
import numpy as np
a, b = Input(shape=(4,)), Input(shape=(4,))
joined = merge([Dense(3)(a), Dense(3)(b)], mode='concat', concat_axis=-1)
out = Dense(output_dim=1, b_regularizer=l2(0.1), activation='sigmoid')(joined)
net = M(input=[a, b], output=out)
net.compile('rmsprop', 'mse', metrics=['mae'])
x, y = np.random.rand(20, 4), np.random.rand(20, 1)
history = net.fit([x, x], y, nb_epoch=1, verbose=0)
for key, value in history.history.iteritems(): print key, value,
print history.history['mean_absolute_error'], history.history.keys()[0]
try:
    cPickle.loads('x')
except Exception, error:
    print >>sys.stderr, error
if not history.history.has_key('val_loss'): print 'no validation'

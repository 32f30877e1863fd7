import numpy as np
import pandas as pd
from keras.models import Sequential
from keras.layers import Dense,Dropout

np.random.seed(10)
all_df = pd.DataFrame({'survived': [0, 1] * 50, 'name': ['A'] * 100, 'sex': ['female', 'male'] * 50,
                       'age': [22.0, np.NaN] * 50, 'fare': [7.25, None] * 50, 'embarked': list('SCQS') * 25})
msk = np.random.rand(len(all_df)) < 0.8
train_df = all_df[msk]

def PreprocessData(raw_df):
    df = raw_df.drop(['name'], 1)
    df['age'].fillna(df['age'].mean(), inplace=True)
    fare_mean = df['fare'].mean()
    df['fare'] = df['fare'].fillna(fare_mean)
    df['sex'] = df['sex'].map({'female': 0, 'male': 1}).astype(np.int)
    x_OneHot_df = pd.get_dummies(data=df, columns=["embarked"])
    ndarray = x_OneHot_df.as_matrix()
    return ndarray[:, 1:], ndarray[:, 0]

train_Features, train_Label = PreprocessData(train_df)
assert not np.isnan(train_Features).any()
model = Sequential()
model.add(Dense(units=40, input_dim=6, kernel_initializer='uniform', activation='relu'))
model.add(Dropout(0.2))
model.add(Dense(units=1, kernel_initializer='uniform', activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
train_history = model.fit(x=train_Features, y=train_Label, validation_split=0.1, epochs=3, batch_size=30, verbose=2)
print(train_history.history['acc'], train_history.history['val_acc'])
all_probability = model.predict_proba(train_Features)
assert set(np.unique(model.predict_classes(train_Features))) <= {0, 1} and all_probability.shape[1] == 1
print(pd.concat([train_df, train_df]).append(train_df).ix[0])

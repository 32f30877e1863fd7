# -*- coding: utf-8 -*-
from keras.preprocessing import sequence
from keras.preprocessing.text import Tokenizer
from keras.models import Sequential
from keras.layers.core import Dense, Dropout
from keras.layers.embeddings import Embedding
from keras.layers.recurrent import LSTM

def read_files(filetype):
    all_labels = ([1] * 25 + [0] * 25)
    all_texts = ['a good film'] * 25 + ['a bad film'] * 25
    return all_labels, all_texts

y_train, train_text = read_files("train")
y_test, test_text = read_files("test")
token = Tokenizer(nb_words=2000)
token.fit_on_texts(train_text)
x_train = sequence.pad_sequences(token.texts_to_sequences(train_text), maxlen=20)
x_test = sequence.pad_sequences(token.texts_to_sequences(test_text), maxlen=20)

model = Sequential()
model.add(Embedding(output_dim=8, input_dim=2000, input_length=20, dropout=0.2))
model.add(LSTM(8, consume_less='gpu', dropout_W=0.2))
model.add(Dense(units=1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
train_history = model.fit(x_train, y_train, batch_size=10, epochs=2, verbose=2, validation_split=0.2)
scores = model.evaluate(x_test, y_test, verbose=1)
predict_classes = model.predict_classes(x_test).reshape(-1)
SentimentDict = {1: '正面的', 0: '負面的'}
print(SentimentDict[y_test[0]], SentimentDict[predict_classes[0]])
model.save_weights("Imdb_LSTM_model.h5")
open("Imdb.json", "w").write(model.to_json())
